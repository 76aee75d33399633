import type { CredentialDocument } from "../config/documents/credential.ts";
import type { Documents } from "../config/load.ts";
import { fault, type Tree, treeAt } from "../config/tree.ts";
import type { Report } from "./ir.ts";

/** The fields that a credential writes, whatever stood there. */
const fieldsOf = (credential: CredentialDocument): readonly string[] => {
  switch (credential.kind) {
    case "header":
    case "jwt":
      return [credential.header];
    case "signature":
      return ["signature", "signature-input"];
    case "certificate":
      return [];
  }
};

/** An upstream's name, and the fields that nobody but its credential writes. */
type Owners = ReadonlyMap<string, readonly string[]>;

/**
 * Whatever a policy or a lane writes into the field of an upstream's credential would be lost, for the credential is set
 * last: so it is reported where requests of that node may go to that upstream.
 */
export const checkCredentialFields = ({ tree, upstreams }: Documents, report: Report): void => {
  const owners: Owners = new Map(
    upstreams.map(({ name, value }) => [
      name,
      value.credential === undefined ? [] : fieldsOf(value.credential),
    ]),
  );
  const check = (node: Tree | undefined, reached: readonly string[]): void => {
    for (const [field, written] of writtenFields(node)) {
      const owner = reached.find((name) => owners.get(name)?.includes(field));
      if (owner === undefined) continue;
      report(
        fault(
          written.keyPlace ?? written.place,
          "reserved-header",
          `"${field}" is set by the credential of the upstream "${owner}".`,
          "Remove this line, or use another name.",
        ),
      );
    }
  };
  const apis = [...(treeAt(tree, ["apis"])?.entries?.values() ?? [])];
  check(treeAt(tree, ["gateway"]), apis.flatMap(reachedByApi));
  for (const api of apis) {
    check(api, reachedByApi(api));
    for (const route of routesOf(api)) check(route, reachedByRoute(route, api));
  }
};

const routesOf = (api: Tree): readonly Tree[] => [...(treeAt(api, ["routes"])?.entries?.values() ?? [])];

const reachedByApi = (api: Tree): readonly string[] => [
  ...reachedByNode(api),
  ...routesOf(api).flatMap(reachedByNode),
];

const reachedByRoute = (route: Tree, api: Tree): readonly string[] =>
  ["upstream", "split", "redirect", "respond", "aggregate"].some((key) => route.entries?.has(key))
    ? reachedByNode(route)
    : [...reachedByNode(api), ...reachedByNode(route)];

/** Upstreams that a node names; copies of a request carry what the request carries. */
const reachedByNode = (node: Tree): readonly string[] =>
  [
    node.entries?.get("upstream")?.scalar,
    ...(treeAt(node, ["split", "lanes"])?.entries?.keys() ?? []),
    ...(treeAt(node, ["mirror"])?.items ?? []).map((it) => it.entries?.get("upstream")?.scalar),
    ...[...(treeAt(node, ["aggregate", "calls"])?.entries?.values() ?? [])].map(
      (it) => it.entries?.get("upstream")?.scalar,
    ),
  ].map(String);

/** Fields of the request that a node writes, in lower case: by its headers policy, by forwarded claims, for a lane. */
const writtenFields = (node: Tree | undefined): readonly (readonly [string, Tree])[] => {
  const policies = [...(treeAt(node, ["policies"])?.entries?.values() ?? [])];
  const lanes = [...(treeAt(node, ["split", "lanes"])?.entries?.values() ?? [])];
  const edits = [
    treeAt(node, ["policies", "headers", "request"]),
    ...lanes.map((it) => treeAt(it, ["headers"])),
  ];
  return [
    ...edits.flatMap((it) => [treeAt(it, ["set"]), treeAt(it, ["add"])]),
    ...policies.map((policy) => treeAt(policy, ["forward"])),
  ].flatMap((map) => [...(map?.entries ?? [])].map(([key, value]) => [key.toLowerCase(), value] as const));
};

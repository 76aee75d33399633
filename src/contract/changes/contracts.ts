import type { Place } from "../../core/diagnostic.ts";
import type { Json } from "../../core/json.ts";
import type { ContractChange, Difference, Severity } from "./change.ts";
import { compareOperations, type PlacedOperation } from "./operations.ts";
import { type Schema, schemaOf } from "./schema-references.ts";

/** What callers may rely on: the public document, and where each of its parts was written. */
export interface Contract {
  readonly document: Json;
  placeOf(pointer: string): Place | undefined;
}

/**
 * What changes for callers between two contracts, what breaks first. A path whose parameters have other names is the same path;
 * what only reads differently (descriptions, examples, the order of things) is no change.
 */
export const contractChanges = (base: Contract, head: Contract): readonly ContractChange[] => {
  const changes: ContractChange[] = [];
  const reporter =
    (subject: string) =>
    ({ base: from, head: to, ...difference }: Difference): void => {
      changes.push({
        ...difference,
        subject,
        base: from === undefined ? undefined : base.placeOf(from),
        head: to === undefined ? undefined : head.placeOf(to),
      });
    };
  compareServers(base, head, reporter("gateway"));
  const before = operationsOf(base.document);
  const after = operationsOf(head.document);
  for (const [key, operation] of before) {
    const now = after.get(key);
    if (now !== undefined) compareOperations(operation, now, reporter(now.name));
    else
      reporter(operation.name)({
        id: "operation-removed",
        severity: "breaking",
        message: "It is no longer offered.",
        base: operation.pointer,
      });
  }
  for (const [key, { name, pointer }] of after) {
    if (!before.has(key))
      reporter(name)({ id: "operation-added", severity: "compatible", message: "It is new.", head: pointer });
  }
  return changes.sort((one, other) => ORDER.indexOf(one.severity) - ORDER.indexOf(other.severity));
};

const ORDER: readonly Severity[] = ["breaking", "risky", "compatible"];

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/** Operations by method and path, without the names of parameters. */
const operationsOf = (document: Json): ReadonlyMap<string, PlacedOperation & { readonly name: string }> => {
  const found = new Map<string, PlacedOperation & { readonly name: string }>();
  for (const [path, item] of Object.entries(schemaOf(schemaOf(document)["paths"]))) {
    for (const method of METHODS) {
      const json = schemaOf(item)[method];
      if (json === undefined) continue;
      const pointer = `/paths/${path.replaceAll("~", "~0").replaceAll("/", "~1")}/${method}`;
      const name = `${method.toUpperCase()} ${path}`;
      found.set(`${method} ${path.replace(/\{[^}]*\}/g, "{}")}`, {
        document,
        pointer,
        json: schemaOf(json),
        name,
      });
    }
  }
  return found;
};

const serversOf = ({ document }: Contract): readonly string[] => {
  const list = schemaOf(document)["servers"];
  return (Array.isArray(list) ? (list as readonly Schema[]) : []).map(({ url }) => String(url));
};

const compareServers = (base: Contract, head: Contract, report: (difference: Difference) => void): void => {
  const after = serversOf(head);
  for (const [index, url] of serversOf(base).entries()) {
    if (after.includes(url)) continue;
    report({
      id: "server-removed",
      severity: "breaking",
      message: `The API is no longer at ${url}.`,
      base: `/servers/${index}`,
      head: "/servers",
    });
  }
};

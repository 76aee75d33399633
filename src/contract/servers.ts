import type { NamedHost } from "../compiler/ir.ts";
import type { Json } from "../core/json.ts";
import type { HostPattern } from "../lib/host-pattern.ts";
import type { JsonObject } from "./json.ts";

/** Server Objects of hosts, in the order of their names. */
export const serversOf = (hosts: readonly NamedHost[]): readonly JsonObject[] =>
  hosts
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .map(({ name, pattern }) => ({ ...serverOf(pattern), description: `The host ${name}.` }));

const serverOf = (pattern: HostPattern): JsonObject => {
  if (pattern.kind === "any") return { url: "/" };
  if (pattern.kind === "exact") return { url: `https://${pattern.text}` };
  const name = pattern.param ?? "subdomain";
  const variable: Json = {
    default: name,
    description: pattern.many ? "One or more labels." : "One label.",
  };
  return { url: `https://{${name}}${pattern.text}`, variables: { [name]: variable } };
};

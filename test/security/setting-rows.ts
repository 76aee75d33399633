import { z } from "zod";
import { fieldOf } from "../e2e/wire.ts";
import { type Ground, statusOf } from "./support.ts";

/** One request to two routes that differ in one setting. */
export interface Row {
  /** The setting, as `policy.key`. */
  readonly of: string;
  /** Policies of the route without the setting, and of the one with it. */
  readonly without: string;
  readonly with: string;
  /** Makes the request to a path; `line` is its method, and a query behind a space. */
  readonly request: (path: string) => {
    readonly line?: string;
    readonly fields?: readonly string[];
    readonly body?: string;
  };
  /** What comes of the last of these requests, without and with the setting. */
  readonly outcomes: readonly [bare: string, set: string];
  readonly times?: number;
  /** A field whose value at the origin is part of what comes of it. */
  readonly sees?: string;
  /** A field whose value in the answer is. */
  readonly tells?: string;
}

/** A request with fields. */
export const fields =
  (...all: string[]) =>
  () => ({ fields: all });

/** A setting of a policy that stands on a route for everybody, beside no policy of the kind. */
export const guard = (
  of: string,
  setting: string,
  request: Row["request"],
  outcomes: Row["outcomes"],
  times = 1,
): Row => ({
  of,
  without: "requestId: {}",
  with: setting,
  request,
  outcomes,
  times,
});

type Side = "with" | "without";

const IDENTITY = /\b(jwt|apiKey|basicAuth|hmac|introspection|forwardAuth|clientCertificate):/;

const routeOf = (index: number, side: Side, { [side]: policies }: Row): string => {
  const opens = IDENTITY.test(policies) ? "" : "public: true, ";
  return `      r${index}${side}: { ${opens}match: { path: /r${index}/${side} }, policies: { ${policies} } }`;
};

/** The routes of all rows, as they stand under `routes:` of an api. */
export const routesOf = (rows: readonly Row[]): string =>
  rows.flatMap((row, index) => [routeOf(index, "without", row), routeOf(index, "with", row)]).join("\n");

/** What of a ground a row needs. */
type Asked = Pick<Ground<"origin">, "request" | "origins">;

const outcomeOf = async (ground: Asked, row: Row, path: string): Promise<string> => {
  let outcome = "";
  for (let time = 0; time < (row.times ?? 1); time++) {
    const { line = "GET", fields = [], body } = row.request(path);
    const [method, query = ""] = line.split(" ");
    const { answer } = await ground.request(`${method} ${path}${query}`, fields, body);
    outcome = statusOf(answer);
    if (row.sees !== undefined) outcome += ` ${fieldOf(ground.origins.origin.last(), row.sees) ?? "-"}`;
    if (row.tells !== undefined) outcome += ` ${fieldOf(answer, row.tells) ?? "-"}`;
  }
  return outcome;
};

/** What comes of a row's request without and with its setting. */
export const outcomesOf = async (ground: Asked, row: Row, index: number): Promise<string[]> => [
  await outcomeOf(ground, row, `/r${index}/without`),
  await outcomeOf(ground, row, `/r${index}/with`),
];

type Node = Readonly<Record<string, unknown>>;

/** The keys of a schema, down to where it becomes a map or a value. */
export const keysOf = (schema: z.ZodType): string[] => {
  const found = new Set<string>();
  const walk = (node: Node, at: string): void => {
    for (const [name, child] of Object.entries((node["properties"] ?? {}) as Record<string, Node>)) {
      found.add(at + name);
      walk(child, `${at}${name}.`);
    }
    for (const one of ["anyOf", "oneOf", "allOf"].flatMap((name) => (node[name] ?? []) as Node[]))
      walk(one, at);
    if (typeof node["items"] === "object") walk(node["items"] as Node, at);
  };
  walk(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }), "");
  return [...found].filter((name) => ![...found].some((longer) => longer.startsWith(`${name}.`)));
};

import type { SeenRoute } from "../compiler/compile.ts";
import type { Documents } from "../config/load.ts";
import { pointerOf } from "../config/openapi/pointer.ts";
import { treeAt } from "../config/tree.ts";
import type { Place } from "../core/diagnostic.ts";
import type { Json } from "../core/json.ts";
import type { BundledDocument } from "../core/operation.ts";
import type { Plan } from "../core/plan.ts";
import { contributionsOf, type Told } from "./contributions.ts";
import { Imports } from "./imports.ts";
import { type JsonObject, objectOf, sortedByKey, withoutGaps } from "./json.ts";
import { nameSchemas, withNames } from "./naming.ts";
import { operationOf } from "./operations.ts";
import { Places } from "./places.ts";
import { PROBLEM, problemSchema } from "./problem-schema.ts";
import { SchemeNames } from "./security.ts";
import { serversOf } from "./servers.ts";
import { Shared } from "./shared.ts";
import { type Note, type Target, targetsOf } from "./targets.ts";

/** What the gateway offers, as callers read it. */
export interface PublicContract {
  /** An OpenAPI 3.1 document. */
  readonly document: JsonObject;
  /** What of the routes is not in it. */
  readonly notes: readonly Note[];
  /** Where what stands at a JSON Pointer of the document was written. */
  placeOf(pointer: string): Place;
}

/** What a contract is made of. */
export interface Effective {
  readonly documents: Documents;
  readonly plan: Plan;
  readonly routes: readonly SeenRoute[];
}

/** The public document of a gateway: what its routes offer with their policies applied. */
export const publicContract = ({ documents, plan, routes }: Effective): PublicContract => {
  const top = treeAt(documents.tree, ["gateway"]);
  const places = new Places(top?.keyPlace ?? documents.tree.place);
  const { targets, notes } = targetsOf(routes);
  const told = new Map(targets.map(({ seen }) => [seen, contributionsOf(seen)]));
  const schemes = new SchemeNames([...told.values()]);
  const imports = new Imports();
  const shared = {
    headers: new Shared("headers", 1),
    responses: new Shared("responses", 2),
    codes: new Set<string>(),
  };
  const idOf = operationIds(targets);
  const hosts = Object.entries(documents.gateway!.value.hosts).map(([name, pattern]) => ({ name, pattern }));
  const site = { upstreams: plan.upstreams, imports, shared, schemes, places, idOf };
  const paths = pathsOf(targets, (target) => operationOf(target, told.get(target.seen)!, site), hosts.length);
  const names = nameSchemas(imports.schemas, new Set([PROBLEM]));
  markSchemes(told, schemes, places);
  const schemas = sortedByKey<Json>([
    ...(shared.codes.size > 0 ? [[PROBLEM, problemSchema(shared.codes)] as const] : []),
    ...[...names].map(([token, name]): [string, Json] => {
      const { document, pointer, schema } = imports.schemas.get(token)!;
      places.copied(pointerOf(["components", "schemas", name]), document, pointer);
      return [name, schema];
    }),
  ]);
  const components = {
    schemas,
    responses: shared.responses.all(),
    headers: shared.headers.all(),
    securitySchemes: schemes.all(),
  };
  const document = withoutGaps({
    openapi: "3.1.0",
    info: infoOf(documents, plan),
    servers: serversOf(hosts) as Json,
    tags: tagsOf(targets),
    paths,
    components: filled(components as unknown as JsonObject),
  });
  return {
    document: withNames(shared.headers.settle(shared.responses.settle(document)), names) as JsonObject,
    notes,
    placeOf: (pointer) => places.placeOf(pointer),
  };
};

const filled = (components: JsonObject): JsonObject | undefined => {
  const kept = Object.entries(components).filter(([, entries]) => Object.keys(objectOf(entries)).length > 0);
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
};

const markSchemes = (
  told: ReadonlyMap<SeenRoute, readonly Told[]>,
  schemes: SchemeNames,
  places: Places,
): void => {
  for (const list of told.values())
    for (const { contribution, place } of list)
      for (const [name, scheme] of Object.entries(contribution.security ?? {}))
        places.set(pointerOf(["components", "securitySchemes", schemes.nameOf(name, scheme)]), place);
};

/** Operations by path; a path of which not all hosts are the gateway's says which. */
const pathsOf = (
  targets: readonly Target[],
  make: (target: Target) => JsonObject,
  hostCount: number,
): JsonObject => {
  const byPath = new Map<string, Target[]>();
  for (const target of targets) byPath.set(target.path, [...(byPath.get(target.path) ?? []), target]);
  return Object.fromEntries(
    [...byPath].map(([path, list]) => {
      const keyOf = ({ hosts }: Target): string =>
        hosts
          .map(({ name }) => name)
          .sort()
          .join(" ");
      const isOne = list.every((target) => keyOf(target) === keyOf(list[0]!));
      const serversFor = ({ hosts }: Target): JsonObject =>
        hosts.length < hostCount ? { servers: serversOf(hosts) as Json } : {};
      const operations = list.map((target) => [
        target.method,
        { ...make(target), ...(isOne ? {} : serversFor(target)) },
      ]);
      return [path, { ...(isOne ? serversFor(list[0]!) : {}), ...Object.fromEntries(operations) }];
    }),
  );
};

/** The document's own ids; where two apis have the same one, and for routes without an operation, with the api's name. */
const operationIds = (targets: readonly Target[]): ((target: Target) => string) => {
  const bare = ({ seen, match, method }: Target): string =>
    seen.context.route.operation?.id ??
    [seen.route.api, seen.route.name, ...(severalOf(seen, match.methods) ? [method] : [])].join("_");
  const counts = new Map<string, number>();
  for (const target of targets) counts.set(bare(target), (counts.get(bare(target)) ?? 0) + 1);
  const seenIds = new Map<Target, string>();
  const taken = new Set<string>();
  for (const target of targets) {
    const id = bare(target);
    let name = counts.get(id)! > 1 ? `${target.seen.route.api}_${id}` : id;
    for (let number = 2; taken.has(name); number++) name = `${target.seen.route.api}_${id}_${number}`;
    taken.add(name);
    seenIds.set(target, name);
  }
  return (target) => seenIds.get(target)!;
};

const severalOf = ({ route }: SeenRoute, methods: readonly string[]): boolean =>
  methods.length > 1 || route.matches.length > 1;

/** Tags of the operations, in the words of their documents. */
const tagsOf = (targets: readonly Target[]): Json => {
  const tags = new Map<string, JsonObject>();
  for (const { seen } of targets) {
    const { operation } = seen.context.route;
    const used = operation && Array.isArray(operation.json["tags"]) ? operation.json["tags"] : [];
    const names = used.length > 0 ? used.map(String) : [seen.route.api];
    for (const name of names) {
      const known = operation && tagOf(operation.document, name);
      if (known !== undefined || !tags.has(name))
        tags.set(name, known ?? { name, description: `Operations of ${name}.` });
    }
  }
  return [...tags.values()].sort((one, other) => (String(one["name"]) < String(other["name"]) ? -1 : 1));
};

const tagOf = ({ json }: BundledDocument, name: string): JsonObject | undefined =>
  (Array.isArray(json["tags"]) ? json["tags"] : []).map(objectOf).find((tag) => tag["name"] === name);

const infoOf = ({ gateway }: Documents, plan: Plan): JsonObject => {
  const { title, version, ...more } = gateway!.value.info ?? {};
  return withoutGaps({
    title: title ?? plan.gateway.name,
    version: version ?? "1.0.0",
    ...(JSON.parse(JSON.stringify(more)) as JsonObject),
  });
};

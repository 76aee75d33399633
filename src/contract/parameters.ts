import { pointerOf } from "../config/openapi/pointer.ts";
import type { Place } from "../core/diagnostic.ts";
import type { Json } from "../core/json.ts";
import type { ParameterInfo } from "../core/operation.ts";
import type { UpstreamPlan } from "../core/upstream-plan.ts";
import type { Told } from "./contributions.ts";
import { upstreamsOf } from "./ends.ts";
import { type JsonObject, objectOf } from "./json.ts";
import type { OperationSite } from "./operations.ts";
import { conditionParameters, type Target } from "./targets.ts";

/** Header fields that OpenAPI describes elsewhere (section 4.8.12.2). */
const SAID_ELSEWHERE = new Set(["accept", "content-type", "authorization"]);

/** What callers may or must send: what the document says, without what goes no further than the gateway. */
export const parametersOf = (
  target: Target,
  told: readonly Told[],
  at: readonly string[],
  { imports, places, upstreams }: OperationSite,
): readonly Json[] => {
  const { seen, match, renamed } = target;
  const { operation } = seen.context.route;
  const list: { readonly json: JsonObject; readonly mark: (pointer: string) => void }[] = [];
  const isWithheld = withheld(told, credentialFields(target, upstreams));
  for (const parameter of operation?.parameters ?? []) {
    if (parameter.json["x-internal"] === true || isWithheld(parameter)) continue;
    const copy = objectOf(imports.copy(parameter.json, "parameter", operation!.document));
    const name = parameter.in === "path" ? renamed.get(parameter.name) : undefined;
    list.push({
      json: name === undefined ? copy : { ...copy, name },
      mark: (pointer) => places.copied(pointer, operation!.document, parameter.pointer),
    });
  }
  const placed = (json: JsonObject, place: Place): void => {
    const isThere = list.some((one) => one.json["name"] === json["name"] && one.json["in"] === json["in"]);
    if (!isThere) list.push({ json, mark: (pointer) => places.set(pointer, place) });
  };
  for (const name of pathNames(target.path))
    placed(
      { name, in: "path", required: true, description: `Part of the path.`, schema: { type: "string" } },
      seen.route.place,
    );
  for (const json of conditionParameters(match)) placed(json, seen.route.place);
  for (const { contribution, place } of told)
    for (const json of contribution.parameters ?? []) placed(json, place);
  return list.map(({ json, mark }, index) => {
    mark(pointerOf([...at, "parameters", String(index)]));
    return json;
  });
};

const pathNames = (path: string): readonly string[] =>
  [...path.matchAll(/\{([^}]*)\}/g)].map(([, name]) => name!);

/** Fields by which the gateway proves itself to the upstream. */
const credentialFields = (
  { seen }: Target,
  upstreams: Readonly<Record<string, UpstreamPlan>>,
): readonly string[] =>
  upstreamsOf(seen.plan.action).flatMap((name) => {
    const credential = upstreams[name]?.credential;
    return credential !== undefined && "header" in credential ? [credential.header.toLowerCase()] : [];
  });

const withheld = (told: readonly Told[], credentials: readonly string[]) => {
  const all = told.flatMap(({ contribution }) => contribution.withheld ?? []);
  const within = (names: readonly string[] | undefined, name: string): boolean =>
    names?.includes(name) === true;
  return ({ name, in: place }: ParameterInfo): boolean => {
    const lower = name.toLowerCase();
    switch (place) {
      case "path":
        return false;
      case "header":
        return (
          SAID_ELSEWHERE.has(lower) ||
          credentials.includes(lower) ||
          all.some(({ header, onlyHeader }) => within(header, lower) || onlyHeader?.includes(lower) === false)
        );
      case "query":
        return all.some(
          ({ query, onlyQuery }) =>
            within(query, name) || onlyQuery?.includes(name.replace(/\[.*$/, "")) === false,
        );
      default:
        return all.some(({ cookie }) => within(cookie, name));
    }
  };
};

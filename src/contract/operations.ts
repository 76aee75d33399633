import { pointerOf } from "../config/openapi/pointer.ts";
import type { Json } from "../core/json.ts";
import type { OperationInfo } from "../core/operation.ts";
import type { UpstreamPlan } from "../core/upstream-plan.ts";
import { type Answer, answersOf } from "./answers.ts";
import type { Told } from "./contributions.ts";
import { endAnswers } from "./ends.ts";
import { factsOf } from "./facts.ts";
import type { Imports } from "./imports.ts";
import { type JsonObject, objectOf, withoutGaps } from "./json.ts";
import { parametersOf } from "./parameters.ts";
import type { Places } from "./places.ts";
import { responsesOf, type SharedParts, serviceAnswers } from "./responses.ts";
import { requirementsOf, type SchemeNames } from "./security.ts";
import type { Target } from "./targets.ts";

/** What all operations of a document share. */
export interface OperationSite {
  readonly upstreams: Readonly<Record<string, UpstreamPlan>>;
  readonly imports: Imports;
  readonly shared: SharedParts;
  readonly schemes: SchemeNames;
  readonly places: Places;
  /** The operationId of each route. */
  readonly idOf: (target: Target) => string;
}

/** The Operation Object of one path and method: what its document says, with what its policies make of it. */
export const operationOf = (target: Target, told: readonly Told[], site: OperationSite): JsonObject => {
  const { seen, method, path } = target;
  const { operation } = seen.context.route;
  const { places } = site;
  const at = ["paths", path, method];
  places.set(pointerOf(at), seen.route.place);
  const own = objectOf(operation?.json);
  const requirements = requirementsOf(told, site.schemes);
  const identifying = told.find(({ contribution }) => contribution.security !== undefined);
  places.set(pointerOf([...at, "security"]), identifying?.place ?? seen.route.place);
  const parameters = parametersOf(target, told, at, site);
  const answers = answersOf(endsOf(target, site), told, seen.route.place);
  return withoutGaps({
    operationId: site.idOf(target),
    tags: Array.isArray(own["tags"]) && own["tags"].length > 0 ? own["tags"] : [seen.route.api],
    summary: own["summary"] ?? summaryOf(target),
    description: own["description"] ?? (operation === undefined ? describedAs(target) : undefined),
    externalDocs: own["externalDocs"],
    ...(isDeprecated(operation, told) && { deprecated: true }),
    security: requirements as Json,
    parameters: parameters.length > 0 ? parameters : undefined,
    requestBody: bodyOf(operation, at, site),
    responses: responsesOf(answers, site.shared, [...at, "responses"], places),
    callbacks:
      operation && own["callbacks"] !== undefined
        ? objectOf(site.imports.copy({ callbacks: own["callbacks"] }, "operation", operation.document))[
            "callbacks"
          ]
        : undefined,
    ...extensionsOf(own),
    "x-postern": factsOf(target, told, at, site),
  });
};

const isDeprecated = (operation: OperationInfo | undefined, told: readonly Told[]): boolean =>
  operation?.deprecated === true || told.some(({ contribution }) => contribution.deprecated === true);

const summaryOf = ({ seen: { route } }: Target): string => route.name;

const describedAs = ({ seen: { plan } }: Target): string => {
  switch (plan.action.kind) {
    case "respond":
      return "Answered by the gateway itself, always alike.";
    case "redirect":
      return "Answered by the gateway itself, with where it is instead.";
    case "aggregate":
      return "Answered with what several services say of it.";
    default:
      return "Passed on to a service, whose answers are not described.";
  }
};

/** Extensions of the document go along, but for what is meant for the gateway. */
const extensionsOf = (own: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(own).filter(([name]) => name.startsWith("x-") && !/^x-(internal|postern)/.test(name)),
  );

const endsOf = (target: Target, { upstreams, imports }: OperationSite): readonly Answer[] => {
  const { seen, method } = target;
  const { operation } = seen.context.route;
  const own = endAnswers(seen, method.toUpperCase(), upstreams);
  const { kind } = seen.plan.action;
  if (kind !== "forward" && kind !== "split") return own;
  const told = operation === undefined ? [] : serviceAnswers(operation, imports);
  if (told.length > 0) return [...told, ...own];
  const unknown = (status: string): Answer => ({
    status,
    description: "Whatever the service answers.",
    codes: [],
    isService: true,
    fields: new Map(),
    content: { "*/*": {} },
    place: seen.route.place,
  });
  return [unknown("2XX"), unknown("default"), ...own];
};

const bodyOf = (
  operation: OperationInfo | undefined,
  at: readonly string[],
  { imports, places }: OperationSite,
): Json | undefined => {
  if (operation?.body === undefined) return undefined;
  const { document, body } = operation;
  places.copied(pointerOf([...at, "requestBody"]), document, body.pointer);
  return imports.copyAt(body.pointer, "requestBody", document);
};

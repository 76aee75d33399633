import { anyOf } from "../config/faults.ts";
import { fault } from "../config/tree.ts";
import type { Place } from "../core/diagnostic.ts";
import type { OperationInfo } from "../core/operation.ts";
import type { Attached } from "./attachments.ts";
import type { Report, RouteIr } from "./ir.ts";

type Scopes = Readonly<Record<string, readonly string[]>>;

/** Policies that take what a sort of security scheme describes, and what such a credential is called. */
interface Sort {
  readonly policies: readonly string[];
  readonly credential: string;
  readonly scoped?: boolean;
}

const TOKEN: Sort = { policies: ["jwt", "introspection"], credential: "a token", scoped: true };
const KEY: Sort = { policies: ["apiKey"], credential: "an API key" };
const PASSWORD: Sort = { policies: ["basicAuth"], credential: "a password" };
const CERTIFICATE: Sort = { policies: ["clientCertificate"], credential: "a client certificate" };
/** Of other schemes only somebody else knows what they ask for. */
const OTHER: Sort = { policies: ["hmac"], credential: "a credential" };

/** This one leaves the decision to a service, which may ask for anything. */
const ASKS_ANYTHING = "forwardAuth";

/**
 * Warns where the document of a route's operation asks callers for something and the route's policies ask for less. The
 * policies decide: what the document says is a hint.
 */
export const reportSecurityHints = (route: RouteIr, attached: Attached, report: Report): void => {
  const { operation } = route;
  const asked = operation?.security;
  if (operation === undefined || asked === undefined || attached.broken.size > 0) return;
  const alternatives = alternativesOf(route, attached);
  if (alternatives === undefined) return;
  const place = placeOfSecurity(operation);
  for (const taken of alternatives) {
    if (taken.includes(ASKS_ANYTHING)) continue;
    const lacking = asked.map((one) => lackOf(one, taken, operation, attached));
    // One alternative of the document that is met in full will do, as the empty one is by anything.
    const [first] = lacking;
    if (first === undefined || lacking.includes(undefined)) continue;
    report(hint(first, place, route, taken.length === 0));
    return;
  }
};

/** Sets of identity policies of which one must pass; undefined where the route is told of already. */
const alternativesOf = (
  route: RouteIr,
  { instances }: Attached,
): readonly (readonly string[])[] | undefined => {
  const identity = instances.get("identity")?.[0]?.config as
    | { readonly any: readonly (string | readonly string[])[] }
    | undefined;
  const identifying = [...IDENTIFYING].filter((name) => instances.has(name));
  if (identifying.length === 0) return route.levels.some((level) => level.public) ? [[]] : undefined;
  if (identity === undefined) return [identifying];
  return identity.any.map((one) => (one === "anonymous" ? [] : typeof one === "string" ? [one] : one));
};

const IDENTIFYING = new Set(
  [TOKEN, KEY, PASSWORD, CERTIFICATE, OTHER].flatMap(({ policies }) => policies).concat(ASKS_ANYTHING),
);

/** What an alternative of the document asks for and the policies do not. */
interface Lack {
  readonly scheme: string;
  readonly sort: Sort;
  readonly scopes: readonly string[];
}

const lackOf = (
  asked: Scopes,
  taken: readonly string[],
  operation: OperationInfo,
  attached: Attached,
): Lack | undefined => {
  for (const [scheme, scopes] of Object.entries(asked)) {
    const sort = sortOf(scheme, operation);
    // A scheme that is not described was told of where it is named.
    if (sort === undefined) continue;
    const met = sort.policies.filter((policy) => taken.includes(policy));
    if (met.length === 0) return { scheme, sort, scopes: [] };
    const missing =
      sort.scoped === true ? scopes.filter((scope) => !met.some((one) => asksFor(scope, one, attached))) : [];
    if (missing.length > 0) return { scheme, sort, scopes: missing };
  }
  return undefined;
};

const sortOf = (scheme: string, { document }: OperationInfo): Sort | undefined => {
  const components = record(document.json["components"]);
  const written = record(components["securitySchemes"])[scheme];
  if (written === undefined) return undefined;
  const described = record(document.resolve(written as OperationInfo["json"]));
  const { type } = described;
  if (type === "oauth2" || type === "openIdConnect") return TOKEN;
  if (type === "apiKey") return KEY;
  if (type === "mutualTLS") return CERTIFICATE;
  if (type !== "http") return OTHER;
  const name = String(described["scheme"]).toLowerCase();
  return name === "bearer" ? { ...TOKEN, scoped: false } : name === "basic" ? PASSWORD : OTHER;
};

/** Whether a policy lets only such tokens through as have a scope; also where `authorize` speaks of it. */
const asksFor = (scope: string, policy: string, { instances }: Attached): boolean => {
  const asks = (instances.get(policy) ?? []).some(({ config }) => {
    const { any = [], all = [] } = (config as { scopes?: { any?: string[]; all?: string[] } }).scopes ?? {};
    return all.includes(scope) || (any.length === 1 && any[0] === scope);
  });
  return (
    asks ||
    (instances.get("authorize") ?? []).some(({ config }) =>
      String((config as { allow?: unknown }).allow).includes(scope),
    )
  );
};

/** The operation's own requirements, or those of the whole document. */
const placeOfSecurity = ({ document, json, pointer }: OperationInfo): Place =>
  document.placeOf(json["security"] === undefined ? "/security" : `${pointer}/security`);

const hint = ({ scheme, sort, scopes }: Lack, place: Place, { id, place: at }: RouteIr, open: boolean) => {
  const [message, remedy] =
    scopes.length > 0
      ? [
          `The document asks for the scope${scopes.length === 1 ? "" : "s"} ${scopes.map((scope) => `"${scope}"`).join(", ")} here, and the policies do not.`,
          `Write \`scopes: { all: [${scopes.join(", ")}] }\` in its ${anyOf(sort.policies)}, or change the document.`,
        ]
      : [
          `The document asks for ${sort.credential} ("${scheme}") here, and the policies let callers in without one.`,
          `Attach ${anyOf(sort.policies)}${open ? "" : " to each alternative"}, or write \`security: []\` in the document.`,
        ];
  return fault(place, "asks-for-less", message!, remedy!, {
    severity: "warning",
    related: [{ message: `The route "${id}" stands here.`, place: at }],
  });
};

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};

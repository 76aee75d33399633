import { Environment } from "@marcbachmann/cel-js";
import type { ClientIpPlan } from "../../core/plan.ts";
import type { DeclaredType } from "../../lib/cel/tree.ts";

/** What expressions of one route may name. */
export interface ExpressionNames {
  /** Path and host parameters of the route. */
  readonly params: readonly string[];
  /** Claims that issuers declare, with the word for their type: string, strings, int, double, bool, list or map. */
  readonly claims: Readonly<Record<string, string>>;
  readonly hasConsumers: boolean;
  /** Attributes that consumers have, with the words for their types; absent where those are not known. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** How the gateway learns who its client is: `unknown` makes `client` a fault; absent, that is not looked at. */
  readonly clientIp?: ClientIpPlan | "unknown" | undefined;
}

/** A type of the checker, and what a value from outside must be to pass as one. */
interface Typed {
  readonly cel: string;
  readonly as?: DeclaredType;
}

const TYPES: Readonly<Record<string, Typed>> = {
  string: { cel: "string", as: "string" },
  strings: { cel: "list<string>", as: "strings" },
  int: { cel: "int", as: "int" },
  double: { cel: "double", as: "number" },
  bool: { cel: "bool", as: "boolean" },
  list: { cel: "list<dyn>", as: "list" },
  map: { cel: "map<string, dyn>", as: "map" },
};
const DYN: Typed = { cel: "dyn" };
const TEXT: Typed = { cel: "string" };

/** RFC 7519 section 4.1, RFC 9068 section 2.2, and `azp` of OpenID Connect. `aud` is a text or a list of texts. */
const REGISTERED_CLAIMS: Readonly<Record<string, string>> = {
  iss: "string",
  sub: "string",
  aud: "dyn",
  exp: "int",
  nbf: "int",
  iat: "int",
  jti: "string",
  scope: "string",
  scp: "dyn",
  client_id: "string",
  azp: "string",
};

/** A name that an expression may read, or a step on the way to one. */
export type Spot =
  /** Fixed fields; read as a whole only by `has()`. */
  | { readonly kind: "group"; readonly fields: Readonly<Record<string, Spot>> }
  /** Keys of the request or the caller: those that are listed, or where none are, any, all of type `open`. */
  | { readonly kind: "keyed"; readonly keys: Readonly<Record<string, Typed>> }
  | { readonly kind: "keyed"; readonly open: Typed }
  | { readonly kind: "value"; readonly cel: string }
  /** A name of the language that this gateway has nothing to say for. */
  | { readonly kind: "absent"; readonly message: string; readonly remedy: string };

const text: Spot = { kind: "value", cel: "string" };
const group = (fields: Readonly<Record<string, Spot>>): Spot => ({ kind: "group", fields });

const mapValues = <A, B>(
  record: Readonly<Record<string, A>>,
  change: (value: A) => B,
): Readonly<Record<string, B>> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));

const typedOf = (word: string): Typed => (Object.hasOwn(TYPES, word) ? TYPES[word]! : DYN);

const NO_CONSUMERS: Spot = {
  kind: "absent",
  message: "There are no consumers in these policies.",
  remedy: "Write `consumers:` with those who may call, or remove this part.",
};

const attributesOf = ({ attributes }: ExpressionNames): Spot =>
  attributes === undefined
    ? { kind: "keyed", open: DYN }
    : { kind: "keyed", keys: mapValues(attributes, typedOf) };

const unlessCloudflare = (names: ExpressionNames, spot: Spot): Spot =>
  names.clientIp === undefined || names.clientIp === "cloudflare"
    ? spot
    : {
        kind: "absent",
        message: "Only Cloudflare tells a client's country and certificate.",
        remedy: "Write `clientIp: cloudflare` under `gateway:`, or remove this part.",
      };

/** Everything that an expression may name: the context of the policy language. */
export const contextOf = (names: ExpressionNames): Readonly<Record<string, Spot>> => ({
  identity: group({ kind: text, id: text, issuer: text, subject: text }),
  claims: { kind: "keyed", keys: mapValues({ ...REGISTERED_CLAIMS, ...names.claims }, typedOf) },
  consumer: names.hasConsumers
    ? group({ name: text, plan: text, attributes: attributesOf(names) })
    : NO_CONSUMERS,
  params: { kind: "keyed", keys: Object.fromEntries(names.params.map((name) => [name, TEXT])) },
  request: group({
    method: text,
    scheme: text,
    host: text,
    path: text,
    headers: { kind: "keyed", open: TEXT },
    query: { kind: "keyed", open: TEXT },
  }),
  client: group({
    ip:
      names.clientIp === "unknown"
        ? {
            kind: "absent",
            message: "This gateway does not know the addresses of its clients.",
            remedy: "Write `clientIp:` under `gateway:`.",
          }
        : text,
    country: unlessCloudflare(names, text),
    certificate: unlessCloudflare(
      names,
      group({ fingerprint: text, subject: text, issuer: text, serial: text }),
    ),
  }),
  now: { kind: "value", cel: "google.protobuf.Timestamp" },
});

const base = new Environment({
  // An expression is a line or a few; the limits keep a pasted program out, and every check shallow.
  limits: { maxAstNodes: 500, maxDepth: 40, maxListElements: 200, maxMapEntries: 50, maxCallArguments: 8 },
});

/** The library's checker for a context. Groups and listed keys become types of their own, so unknown fields are errors. */
export const environmentOf = (context: Readonly<Record<string, Spot>>): Environment => {
  const environment = base.clone();
  environment.registerOperator("int == double: bool", (a: bigint, b: number) => Number(a) === b);
  for (const [name, spot] of Object.entries(context)) {
    if (spot.kind !== "absent") environment.registerVariable(name, typeIn(environment, name, spot));
  }
  return environment;
};

/** The type of a name, registered where it is one of ours. */
const typeIn = (environment: Environment, path: string, spot: Exclude<Spot, { kind: "absent" }>): string => {
  if (spot.kind === "value") return spot.cel;
  if (spot.kind === "keyed" && "open" in spot) return `map<string, ${spot.open.cel}>`;
  const fields: Record<string, string> = {};
  if (spot.kind === "keyed") {
    for (const [key, typed] of Object.entries(spot.keys)) fields[key] = typed.cel;
  } else {
    for (const [key, field] of Object.entries(spot.fields)) {
      if (field.kind !== "absent") fields[key] = typeIn(environment, `${path}.${key}`, field);
    }
  }
  environment.registerType(path, { fields });
  if (spot.kind === "keyed") {
    // CEL has `in` for maps; these are maps whose keys we know.
    environment.registerOperator(
      `string in ${path}: bool`,
      (key: string, map: ReadonlyMap<string, unknown>) => map.get(key) !== undefined,
    );
  }
  return path;
};

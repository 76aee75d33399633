import type { Json } from "./json.ts";

type JsonObject = { readonly [name: string]: Json };

/** What a policy adds to the description of an operation that callers read (OpenAPI 3.1). */
export interface Contribution {
  /** Parameters that callers may or must send, as Parameter Objects. */
  readonly parameters?: readonly JsonObject[];
  /** What the gateway itself answers here, by status. */
  readonly answers?: readonly ContributedAnswer[];
  /** Fields on the upstream's answers, and on those of the gateway that come from further in. */
  readonly fields?: Readonly<Record<string, JsonObject>>;
  /** How callers prove who they are: schemes that must all be used together; alternatives are joined by the identity policy. */
  readonly security?: Readonly<Record<string, ContributedScheme>>;
  /** Of `identity` alone: names of identity policies that must pass together, by alternatives; an empty one is for anybody. */
  readonly alternatives?: readonly (readonly string[])[];
  /** What callers need not send, for it goes no further than the gateway. */
  readonly withheld?: WithheldParameters;
  /** Fields of the upstream's answers that callers do not get, in lower case. */
  readonly removedFields?: readonly string[];
  /** The only fields of the upstream's answers that callers get, in lower case. */
  readonly onlyFields?: readonly string[];
  readonly cache?: ContributedCache;
  readonly deprecated?: boolean;
  /** Bounds on what callers may do, in the form of `x-postern` of an operation: for people, and to tell when one gets tighter. */
  readonly limits?: readonly ContributedLimit[];
}

export interface ContributedAnswer {
  readonly status: number;
  /** What has happened, in one sentence. */
  readonly description: string;
  /** Codes of the problems with which the body may come; none for an answer without a body. */
  readonly codes?: readonly string[];
  /** Fields of this answer, as Header Objects by name. */
  readonly fields?: Readonly<Record<string, JsonObject>>;
}

export interface ContributedScheme {
  /** The Security Scheme Object. */
  readonly scheme: JsonObject;
  /** All of these are needed. */
  readonly scopes: readonly string[];
  /** And one of these. */
  readonly anyScope?: readonly string[];
}

/** Parameters of requests that the gateway takes off, or writes itself; names of header fields are in lower case. */
export interface WithheldParameters {
  readonly header?: readonly string[];
  readonly query?: readonly string[];
  readonly cookie?: readonly string[];
  /** The only ones that pass. */
  readonly onlyHeader?: readonly string[];
  readonly onlyQuery?: readonly string[];
}

/** How answers are stored. */
export interface ContributedCache {
  /** Whether all callers share an entry, or each has their own. */
  readonly scope: "shared" | "caller";
  /** For how long an answer is fresh where the service does not say. */
  readonly ttlMs?: number;
}

/** A bound on callers. */
export type ContributedLimit =
  | {
      readonly kind: "rate";
      readonly name: string;
      readonly quantity: number;
      readonly windowMs: number;
      readonly key: string;
    }
  | { readonly kind: "quota"; readonly name: string; readonly quantity: number; readonly period: string }
  | { readonly kind: "concurrency"; readonly max: number; readonly key: string }
  | { readonly kind: "body"; readonly maxBytes: number }
  | { readonly kind: "origins"; readonly origins: readonly string[] | "any" }
  | { readonly kind: "other"; readonly name: string; readonly value: Json };

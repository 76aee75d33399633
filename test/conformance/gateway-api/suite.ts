import { readFileSync } from "node:fs";
import path from "node:path";

// The words of this folder's types are the Gateway API's: rule, filter and backend are what cases.json calls them.

export type Pair = readonly [name: string, value: string];

/** An exact condition on a header field or a query parameter. */
export interface Condition {
  readonly type: string;
  readonly name: string;
  readonly value: string;
}

export interface RuleMatch {
  readonly path?: { readonly type: "exact" | "prefix"; readonly value: string };
  readonly method?: string;
  readonly headers?: readonly Condition[];
  readonly query?: readonly Condition[];
}

type PathEdit = { readonly replace_full: string } | { readonly replace_prefix: string };

interface FieldEdits {
  readonly set?: readonly Pair[];
  readonly add?: readonly Pair[];
  readonly remove?: readonly string[];
}

export type RuleFilter =
  | ({ readonly type: "request_headers" | "response_headers" } & FieldEdits)
  | {
      readonly type: "redirect";
      readonly status?: number;
      readonly scheme?: string;
      readonly host?: string;
      readonly port?: number;
      readonly path?: PathEdit;
    }
  | { readonly type: "rewrite"; readonly host?: string; readonly path?: PathEdit }
  | {
      readonly type: "mirror";
      readonly backend: string;
      readonly percent?: number;
      readonly fraction?: readonly [part: number, whole: number];
    }
  | {
      readonly type: "cors";
      readonly allow_origins: readonly string[];
      readonly allow_methods?: readonly string[];
      readonly allow_headers?: readonly string[];
      readonly expose_headers?: readonly string[];
      readonly allow_credentials?: boolean;
      readonly max_age?: number;
    };

export interface RuleBackend {
  readonly backend: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly weight?: number;
  readonly filters?: readonly RuleFilter[];
}

export interface Rule {
  readonly match: readonly RuleMatch[];
  readonly filters?: readonly RuleFilter[];
  readonly backends: readonly RuleBackend[];
  readonly timeouts?: { readonly request?: string; readonly backend_request?: string };
  readonly retry?: { readonly codes?: readonly number[]; readonly attempts: number };
}

export interface SuiteRoute {
  readonly name: string;
  /** Hosts within those of the listener; null where the route is attached to nothing, absent where it takes any host. */
  readonly effective_hosts?: readonly string[] | null;
  readonly rules: readonly Rule[];
}

export interface Redirected {
  readonly scheme: string;
  readonly host: string;
  readonly port: string;
  readonly path: string;
}

export interface Expectation {
  readonly status: readonly number[];
  readonly backend?: string;
  readonly backend_request?: {
    readonly method?: string;
    readonly path?: string;
    readonly host?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly absent_headers?: readonly string[];
  };
  readonly redirect?: Redirected;
  readonly response?: {
    readonly headers?: Readonly<Record<string, string>>;
    readonly one_of_headers?: Readonly<Record<string, readonly string[]>>;
    readonly absent_headers?: readonly string[];
    readonly ignore_whitespace?: boolean;
  };
  readonly mirrored_to?: readonly { readonly backend: string; readonly percent?: number }[];
  readonly distribution?: Readonly<Record<string, number>>;
  readonly tolerance_abs?: number;
  /** How often a distribution may be tried before it counts as wrong. */
  readonly attempts?: number;
  readonly mirror_tolerance?: string;
  readonly backend_one_of?: readonly string[];
  readonly backend_request_header_equals_backend?: string;
}

/** One request and what has to come of it. */
export interface Case {
  readonly id: string;
  readonly name?: string;
  readonly request: {
    readonly method: string;
    readonly host?: string;
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
  };
  readonly backend_sets_response_headers?: Readonly<Record<string, string>>;
  readonly repeat?: number;
  readonly expect: Expectation & { readonly repeat?: number };
}

export interface SuiteTest {
  readonly test: string;
  readonly needs: readonly string[];
  readonly routes: readonly SuiteRoute[];
  readonly cases: readonly Case[];
}

export interface Suite {
  readonly about: { readonly counts: Readonly<Record<string, number>> };
  readonly tests: readonly SuiteTest[];
}

export const suite = JSON.parse(readFileSync(path.join(import.meta.dirname, "cases.json"), "utf8")) as Suite;

/** What more than one plain listener is needed for, or other than one: these tests are not held against the gateway. */
const OTHER_LISTENERS = new Set([
  "listener-isolation",
  "tls-listener",
  "several-listener-ports",
  "listener-port-8080",
  "h2c-backend",
  "config-change-between-cases",
]);

/** Tests whose every case one plain HTTP listener can serve. */
export const plainTests: readonly SuiteTest[] = suite.tests.filter(
  ({ needs }) => !needs.some((need) => OTHER_LISTENERS.has(need)),
);

import type { ApiDocument } from "../config/documents/api.ts";
import type { RouteDocument } from "../config/documents/route.ts";
import type { Documents } from "../config/load.ts";
import type { Tree } from "../config/tree.ts";
import type { Source } from "../config/yaml.ts";
import type { Diagnostic, Place } from "../core/diagnostic.ts";
import type { OperationInfo } from "../core/operation.ts";
import type { ActionPlan } from "../core/plan.ts";
import type { Instance, Level, Path } from "../core/policy.ts";
import type { HostPattern } from "../lib/host-pattern.ts";
import type { TemplateSegment } from "../lib/path-template.ts";
import type { RegexPlan } from "../lib/regex/run.ts";

/** Where a stage puts the faults that it finds. */
export type Report = (diagnostic: Diagnostic) => void;

/** Everything that routes are made from. */
export interface RouteSources {
  readonly documents: Documents;
  /** Finds an OpenAPI document by the name that an api gives it. */
  readonly openapi: (file: string) => Source | undefined;
  readonly openapiFiles: readonly string[];
  readonly report: Report;
}

/** A host of the gateway with its name. */
export interface NamedHost {
  readonly name: string;
  readonly pattern: HostPattern;
}

/** One predicate of a route with every default filled in. */
export interface MatchIr {
  readonly hosts: readonly NamedHost[];
  /** None where a regular expression stands for the path. */
  readonly segments: readonly TemplateSegment[];
  readonly prefix: boolean;
  readonly regex?: RegexIr;
  /** Empty means any. */
  readonly methods: readonly string[];
  readonly headers: readonly Condition[];
  readonly query: readonly Condition[];
}

/** Of a value and a regular expression there is at most one; without, any value will do. */
export interface Condition {
  readonly name: string;
  readonly value?: string;
  readonly regex?: RegexIr;
}

/** A regular expression, and the texts that it is ever asked about: what it says of others counts for nothing. */
export interface RegexIr {
  readonly text: string;
  readonly automaton: RegexPlan;
  readonly domain: RegexPlan;
  /** One of those texts that it takes. */
  readonly example: string;
}

/** A route with every default filled in and every name resolved, but for its policies. */
export interface RouteIr {
  /** `api.route`. */
  readonly id: string;
  readonly api: string;
  readonly name: string;
  /** Where people look for it: its key, or its operation. */
  readonly place: Place;
  readonly matches: readonly MatchIr[];
  readonly params: readonly string[];
  readonly declaredQuery: readonly string[] | undefined;
  /** The OpenAPI operation that it comes from. */
  readonly operation?: OperationInfo | undefined;
  /** The prefix of its api's document, which the upstream does not see. */
  readonly documentPrefix: string;
  readonly document: RouteDocument | undefined;
  /** Where the document is, or would be. */
  readonly documentPath: Path;
  readonly apiDocument: ApiAction;
  readonly apiPath: Path;
  readonly levels: readonly LevelIr[];
  readonly before: readonly string[];
  /** What it does, where no document says so: a route of the gateway itself. */
  readonly action?: ActionPlan;
}

/** What of an api may stand in for a route's own. */
export type ApiAction = Pick<ApiDocument, "upstream" | "split" | "mirror" | "timeout" | "websocket">;

/** One level at which policies are attached. */
export interface LevelIr {
  readonly level: Level;
  readonly node: string;
  readonly path: Path;
  readonly public: boolean;
  /** Its `policies:`. */
  readonly tree: Tree | undefined;
  /** Whether its policies could not be read, so that nothing follows from their absence. */
  readonly broken: boolean;
}

/** A policy instance that knows its tree. */
export interface InstanceIr extends Instance<unknown> {
  readonly tree: Tree;
}

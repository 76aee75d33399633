import type { Pair, Rule, RuleFilter, RuleMatch } from "./suite.ts";
import { hostName, type Origins } from "./translate.ts";

/** One entry of `apis.*.routes`, as it is written. */
export type RouteWords = Readonly<Record<string, unknown>>;

export interface RuleSite {
  /** Name for an upstream that is this rule's own. */
  readonly upstream: string;
  readonly matches: readonly { readonly host: string; readonly match: RuleMatch }[];
  /** The host that the backend has to see. */
  readonly keep: string | undefined;
  readonly rule: Rule;
  readonly origins: Origins;
}

/** A route for a rule: what it matches, what it does, and the policies of its filters. */
export const routeWords = (
  site: RuleSite,
): { readonly route: RouteWords; readonly upstreams: Readonly<Record<string, object>> } => {
  const { rule } = site;
  // What one backend alone does to requests is what the rule does.
  const only = rule.backends.length === 1 ? (rule.backends[0]!.filters ?? []) : [];
  const filters = [...(rule.filters ?? []), ...only];
  const { action, upstreams } = actionOf(site, filters);
  const policies = policiesOf(filters);
  const route = {
    match: site.matches.map(({ host, match }) => matchWords(match, host)),
    ...action,
    ...(Object.keys(policies).length > 0 && { policies }),
  };
  return { route, upstreams };
};

const matchWords = ({ path, method, headers = [], query = [] }: RuleMatch, host: string): object => ({
  [path?.type === "exact" ? "path" : "pathPrefix"]: path?.value ?? "/",
  hosts: [hostName(host)],
  ...(method !== undefined && { methods: [method] }),
  ...(headers.length > 0 && { headers: conditions(headers) }),
  ...(query.length > 0 && { query: conditions(query) }),
});

const conditions = (list: NonNullable<RuleMatch["headers"]>): Record<string, unknown> =>
  Object.fromEntries(
    list.map(({ type, name, value }) => [name, type === "exact" ? value : { regex: value }]),
  );

interface Action {
  readonly action: object;
  readonly upstreams: Readonly<Record<string, object>>;
}

const actionOf = (site: RuleSite, filters: readonly RuleFilter[]): Action => {
  const { rule } = site;
  const redirect = filters.find((it) => it.type === "redirect");
  if (redirect !== undefined) return { action: { redirect: redirectWords(redirect) }, upstreams: {} };
  // Nothing may answer: a fixed 500 says so, where the language would refuse a name that leads nowhere.
  if (rule.backends.length === 0) return { action: { respond: { status: 500 } }, upstreams: {} };
  const { name, upstreams } = upstreamWords(site);
  const rewrite = rewriteWords(site, filters);
  const mirrors = filters.filter((it) => it.type === "mirror");
  const timeout = timeoutOf(rule);
  return {
    action: {
      ...(isSplit(rule) ? splitWords(rule) : { upstream: name }),
      ...(rewrite !== undefined && { rewrite }),
      ...(mirrors.length > 0 && { mirror: mirrors.map(mirrorWords) }),
      ...(timeout !== undefined && { timeout }),
    },
    upstreams: Object.assign(upstreams, ...mirrors.map((mirror) => mirrored(mirror, site))),
  };
};

const target = (name: string, { origins }: RuleSite, weight?: number): object => ({
  url: origins[name],
  ...(weight !== undefined && { weight }),
});

/** Lanes are what can be told apart; backends that only share the load are targets of one upstream. */
const isSplit = ({ backends }: Rule): boolean =>
  backends.length > 1 && backends.some(({ filters = [] }) => filters.length > 0);

const splitWords = ({ backends }: Rule): object => {
  const whole = backends.reduce((sum, { weight = 1 }) => sum + weight, 0);
  const lanes = backends.map(({ backend, weight = 1, filters = [] }) => [
    backend,
    { share: `${(weight * 100) / whole}%`, headers: laneWords(filters) },
  ]);
  return { split: { lanes: Object.fromEntries(lanes) } };
};

/** Other filters than these have no place at a lane: such a rule is refused, and told as a gap. */
const laneWords = (filters: readonly RuleFilter[]): object =>
  Object.assign(
    {},
    ...filters.map((it) => (it.type === "request_headers" ? editWords(it) : { [it.type]: {} })),
  );

const upstreamWords = (site: RuleSite): { name: string; upstreams: Record<string, object> } => {
  const { backends, retry, timeouts } = site.rule;
  const each = Object.fromEntries(
    backends.map(({ backend }) => [backend, { targets: { main: target(backend, site) } }]),
  );
  if (isSplit(site.rule)) return { name: "", upstreams: each };
  if (backends.length === 1 && retry === undefined) return { name: backends[0]!.backend, upstreams: each };
  const targets = backends.map(({ backend, weight = 1 }) => [backend, target(backend, site, weight)]);
  const upstream = {
    targets: Object.fromEntries(targets),
    ...(retry !== undefined && {
      retry: {
        retries: retry.attempts,
        ...(timeouts?.backend_request !== undefined && { perTryTimeout: timeouts.backend_request }),
        on: ["connect-error", "timeout", ...(retry.codes ?? [])],
        // The Gateway API bounds retries by their number alone.
        budget: { share: "100%", minimum: 1000 },
      },
    }),
  };
  return { name: site.upstream, upstreams: { [site.upstream]: upstream } };
};

/** Without retries the time of a request and that of its one try are the same; 0s means as long as it takes. */
const timeoutOf = ({ timeouts = {}, retry }: Rule): string | undefined => {
  const { request, backend_request: each } = timeouts;
  const timeout = request ?? (retry === undefined ? each : undefined);
  return timeout === "0s" ? "1d" : timeout;
};

type Typed<T extends RuleFilter["type"]> = Extract<RuleFilter, { readonly type: T }>;

const pathWords = (path: Typed<"rewrite">["path"]): object =>
  path === undefined
    ? {}
    : "replace_full" in path
      ? { path: path.replace_full }
      : { prefix: path.replace_prefix };

const redirectWords = ({ type: _, path, ...words }: Typed<"redirect">): object => ({
  ...words,
  ...pathWords(path),
});

const rewriteWords = ({ keep }: RuleSite, filters: readonly RuleFilter[]): object | undefined => {
  const rewrite = filters.find((it) => it.type === "rewrite");
  const host = rewrite?.host ?? keep;
  if (rewrite === undefined && host === undefined) return undefined;
  return { ...(host !== undefined && { host }), ...pathWords(rewrite?.path) };
};

const mirrorWords = ({ backend, percent, fraction }: Typed<"mirror">): object => {
  const share = percent ?? (fraction && (fraction[0] * 100) / fraction[1]);
  return { upstream: backend, ...(share !== undefined && { share: `${share}%` }) };
};

const mirrored = ({ backend }: Typed<"mirror">, site: RuleSite): Record<string, object> => ({
  [backend]: { targets: { main: target(backend, site) } },
});

const policiesOf = (filters: readonly RuleFilter[]): Record<string, object> => {
  const edits = filters.flatMap((filter) =>
    filter.type === "request_headers" || filter.type === "response_headers"
      ? [[filter.type === "request_headers" ? "request" : "response", editWords(filter)]]
      : [],
  );
  const cors = filters.find((it) => it.type === "cors");
  return {
    ...(edits.length > 0 && { headers: Object.fromEntries(edits) }),
    ...(cors !== undefined && { cors: corsWords(cors) }),
  };
};

const editWords = ({ set, add, remove }: Typed<"request_headers" | "response_headers">): object => ({
  ...(set !== undefined && { set: byName(set) }),
  ...(add !== undefined && { add: byName(add) }),
  ...(remove !== undefined && { remove }),
});

const byName = (pairs: readonly Pair[]): Record<string, string> => Object.fromEntries(pairs);

const isAny = (list: readonly string[] | undefined): boolean => list?.includes("*") ?? false;

/** Any origin is `any`. With credentials `*` is no wildcard: to say nothing of methods allows those of the route then. */
const corsWords = (filter: Typed<"cors">): object => ({
  origins: isAny(filter.allow_origins) ? "any" : filter.allow_origins,
  ...(filter.allow_methods !== undefined &&
    !(isAny(filter.allow_methods) && filter.allow_credentials) && { methods: filter.allow_methods }),
  ...(filter.allow_headers !== undefined && { headers: filter.allow_headers }),
  ...(filter.expose_headers !== undefined && { exposeHeaders: filter.expose_headers }),
  ...(filter.allow_credentials !== undefined && { credentials: filter.allow_credentials }),
  ...(filter.max_age !== undefined && { maxAge: `${filter.max_age}s` }),
});

import type { Exchange } from "../../core/exchange.ts";
import type { HeaderEdit } from "../../core/header-edits.ts";
import type { FilterFactory } from "../../core/policy.ts";
import { problem } from "../../core/problem.ts";

export type Step = {
  /** Origins that are allowed: whole ones, and pairs of what one begins and ends with around one or more labels. */
  readonly origins:
    | "any"
    | { readonly exact: readonly string[]; readonly wildcards: readonly (readonly [string, string])[] };
  /** Fields of an answer to a preflight, beside those that every answer has. */
  readonly preflight: Readonly<Record<string, string>>;
  readonly credentials: boolean;
  readonly expose?: string;
};

/** What only the gateway says: an upstream's own are dropped. */
const FIELDS = [
  "access-control-allow-origin",
  "access-control-allow-credentials",
  "access-control-allow-methods",
  "access-control-allow-headers",
  "access-control-allow-private-network",
  "access-control-expose-headers",
  "access-control-max-age",
];

const VARY: HeaderEdit = { op: "merge", name: "vary", value: "Origin" };

/**
 * CORS by the Fetch standard (section 3.2, HTTP extensions). A preflight is answered here. Every other answer, a problem or a
 * stored one too, gets its fields by edits, so that `Vary: Origin` is on every variant, also that without an Origin. A
 * WebSocket no browser checks by itself, so one that a page of another origin opens is refused here (RFC 6455 section 10.2).
 */
export const filter: FilterFactory<Step> = (step) => {
  const grantOf = grants(step);
  const refused: Grant = { preflight: { vary: "Origin" }, edits: [VARY, ...removals([])] };
  return (next) => (exchange) => {
    const origin = exchange.request.headers.get("origin");
    const grant = (origin === null ? grantOf.none : grantOf.origin(origin)) ?? refused;
    if (exchange.preflightMethod !== undefined)
      return new Response(null, { status: 204, headers: grant.preflight });
    exchange.answerEdits.push(...grant.edits);
    if (exchange.opensWebSocket && origin !== null && grant === refused) return originRefused(exchange);
    return next(exchange);
  };
};

const originRefused = (exchange: Exchange): Response =>
  problem(exchange, {
    status: 403,
    code: "origin-refused",
    title: "Forbidden",
    detail: "Pages of this origin may not open a WebSocket here.",
  });

/** What an origin gets. */
interface Grant {
  readonly preflight: Record<string, string>;
  readonly edits: readonly HeaderEdit[];
}

interface Grants {
  /** What a request without an Origin gets. */
  readonly none: Grant | undefined;
  /** What an origin gets; undefined for one that is not allowed. */
  readonly origin: (origin: string) => Grant | undefined;
}

const grants = (step: Step): Grants => {
  if (step.origins === "any") {
    const every = grant("*", step, {}, []);
    return { none: every, origin: () => every };
  }
  const { exact, wildcards } = step.origins;
  const one = (origin: string): Grant => grant(origin, step, { vary: "Origin" }, [VARY]);
  const known = new Map(exact.map((origin) => [origin, one(origin)]));
  return {
    none: undefined,
    origin: (origin) => known.get(origin) ?? (matchesWildcard(origin, wildcards) ? one(origin) : undefined),
  };
};

const grant = (
  origin: string,
  step: Step,
  vary: Record<string, string>,
  varyEdits: readonly HeaderEdit[],
): Grant => {
  const fields: Record<string, string> = { "access-control-allow-origin": origin };
  if (step.credentials) fields["access-control-allow-credentials"] = "true";
  const answer: Record<string, string> =
    step.expose === undefined ? fields : { ...fields, "access-control-expose-headers": step.expose };
  const sets = Object.entries(answer).map(([name, value]): HeaderEdit => ({ op: "set", name, value }));
  return {
    preflight: { ...answer, ...step.preflight, ...vary },
    edits: [...sets, ...varyEdits, ...removals(Object.keys(answer))],
  };
};

const removals = (kept: readonly string[]): HeaderEdit[] =>
  FIELDS.filter((name) => !kept.includes(name)).map((name) => ({ op: "remove", name }));

/** A host has at most 253 characters; the rest is for scheme and port. Longer text is compared with nothing. */
const LONGEST = 300;
/** The labels for which a wildcard stands. */
const LABELS = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

const matchesWildcard = (origin: string, wildcards: readonly (readonly [string, string])[]): boolean =>
  origin.length <= LONGEST &&
  wildcards.some(
    ([prefix, suffix]) =>
      origin.startsWith(prefix) &&
      origin.endsWith(suffix) &&
      LABELS.test(origin.slice(prefix.length, -suffix.length)),
  );

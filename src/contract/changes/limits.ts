import type { ContributedLimit } from "../../core/contribution.ts";
import type { Json } from "../../core/json.ts";
import { canonicalJson } from "../../lib/canonical-json.ts";
import type { Difference, ReportDifference } from "./change.ts";
import type { PlacedOperation } from "./operations.ts";
import { schemaOf } from "./schema-references.ts";

/** Compares the bounds on callers that the public document states under `x-postern`. */
export const compareLimits = (
  base: PlacedOperation,
  head: PlacedOperation,
  report: ReportDifference,
): void => {
  const before = limitsOf(base);
  const after = limitsOf(head);
  for (const [key, { limit, pointer }] of after) {
    const old = before.get(key);
    const found = old === undefined ? added(limit) : changed(old.limit, limit);
    if (found !== undefined) report({ ...found, base: old?.pointer ?? base.pointer, head: pointer });
  }
  for (const [key, { limit, pointer }] of before) {
    if (!after.has(key))
      report({
        // Without a list of origins no page of another origin is let in.
        id: limit.kind === "origins" ? "origins-removed" : "limit-removed",
        severity: limit.kind === "origins" ? "breaking" : "compatible",
        message:
          limit.kind === "origins"
            ? "Pages of other origins are no longer let in."
            : `The ${nameOf(limit)} is gone.`,
        base: pointer,
        head: head.pointer,
      });
  }
};

interface PlacedLimit {
  readonly limit: ContributedLimit;
  readonly pointer: string;
}

const limitsOf = ({ json, pointer }: PlacedOperation): ReadonlyMap<string, PlacedLimit> => {
  const list = schemaOf(json["x-postern"])["limits"];
  const limits = (Array.isArray(list) ? list : []) as unknown as readonly ContributedLimit[];
  return new Map(
    limits.map((limit, index) => [
      `${limit.kind} ${"name" in limit ? limit.name : ""}`,
      { limit, pointer: `${pointer}/x-postern/limits/${index}` },
    ]),
  );
};

type Found = Pick<Difference, "id" | "severity" | "message">;

const nameOf = (limit: ContributedLimit): string =>
  limit.kind === "body"
    ? "bound of bodies"
    : "name" in limit
      ? `${limit.kind === "other" ? "limit" : limit.kind} \`${limit.name}\``
      : limit.kind;

const added = (limit: ContributedLimit): Found | undefined =>
  limit.kind === "origins"
    ? { id: "origins-added", severity: "compatible", message: "Pages of other origins are let in." }
    : {
        id: "limit-added",
        severity: "breaking",
        message: `There is a new ${nameOf(limit)}: ${wordsOf(limit)}.`,
      };

const wordsOf = (limit: ContributedLimit): string => {
  switch (limit.kind) {
    case "rate":
      return `${limit.quantity} requests in ${limit.windowMs / 1000} s by ${limit.key}`;
    case "quota":
      return `${limit.quantity} requests a ${limit.period}`;
    case "concurrency":
      return `${limit.max} requests at a time by ${limit.key}`;
    case "body":
      return `bodies of ${limit.maxBytes} bytes`;
    case "origins":
      return limit.origins === "any" ? "any origin" : limit.origins.join(", ");
    case "other":
      return typeof limit.value === "string" ? limit.value : canonicalJson(limit.value);
  }
};

const changed = (old: ContributedLimit, now: ContributedLimit): Found | undefined => {
  if (old.kind === "origins" && now.kind === "origins") return changedOrigins(old, now);
  const [before, after] =
    old.kind === "other" && now.kind === "other"
      ? sharedAllowances(old.value, now.value)
      : [allowanceOf(old), allowanceOf(now)];
  if (before === undefined || after === undefined || wordsOf(old) === wordsOf(now)) return undefined;
  const words = `The ${nameOf(now)} is now ${wordsOf(now)} in place of ${wordsOf(old)}.`;
  // Of a rate, fewer at a time may be a bound too where more come in the long run.
  const tighter = before.some((amount, index) => after[index]! < amount);
  const wider = before.some((amount, index) => after[index]! > amount);
  if (tighter) return { id: "limit-tightened", severity: "breaking", message: words };
  return wider
    ? { id: "limit-widened", severity: "compatible", message: words }
    : { id: "limit-changed", severity: "risky", message: words };
};

/** Amounts of which each says how much callers may do. */
const allowanceOf = (limit: ContributedLimit): readonly number[] | undefined => {
  switch (limit.kind) {
    case "rate":
      return [limit.quantity / limit.windowMs, limit.quantity];
    case "quota":
      return [limit.quantity];
    case "concurrency":
      return [limit.max];
    case "body":
      return [limit.maxBytes];
    default:
      return undefined;
  }
};

/** The allowances of two limits of no common form, such as those of plans, as far as both have them. */
const sharedAllowances = (old: Json, now: Json): readonly [readonly number[], readonly number[]] => {
  const [before, after] = [ratesIn(old), ratesIn(now)];
  const shared = [...before.keys()].filter((pointer) => after.has(pointer));
  return [shared.flatMap((at) => before.get(at)!), shared.flatMap((at) => after.get(at)!)];
};

/** Every rate in a value, by where it stands. */
const ratesIn = (value: Json, pointer = ""): Map<string, readonly number[]> => {
  const found = new Map<string, readonly number[]>();
  if (typeof value !== "object" || value === null) return found;
  const { quantity, windowMs } = value as { readonly quantity?: Json; readonly windowMs?: Json };
  if (typeof quantity === "number" && typeof windowMs === "number")
    found.set(pointer, [quantity / windowMs, quantity]);
  for (const [name, inner] of Object.entries(value as Readonly<Record<string, Json>>))
    for (const [at, rate] of ratesIn(inner, `${pointer}/${name}`)) found.set(at, rate);
  return found;
};

type Origins = Extract<ContributedLimit, { kind: "origins" }>;

const changedOrigins = ({ origins: old }: Origins, { origins: now }: Origins): Found | undefined => {
  if (now === "any")
    return old === "any"
      ? undefined
      : { id: "origins-added", severity: "compatible", message: "Pages of any origin are let in." };
  const lost = old === "any" ? ["any other"] : old.filter((origin) => !now.includes(origin));
  if (lost.length > 0)
    return {
      id: "origin-removed",
      severity: "breaking",
      message: `Pages of ${lost.join(", ")} are no longer let in.`,
    };
  const gained = now.filter((origin) => !old.includes(origin));
  return gained.length === 0
    ? undefined
    : {
        id: "origins-added",
        severity: "compatible",
        message: `Pages of ${gained.join(", ")} are let in too.`,
      };
};

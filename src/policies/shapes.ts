import { z } from "zod";
import { parseQuota } from "../lib/calendar.ts";
import { parseDuration, parsePercent, parseRate, parseSize } from "../lib/quantities.ts";

/**
 * The zod shapes that schemas share. A message of two lines is what is wrong and what to write instead; the diagnostics
 * keep the two apart.
 */
export const explain = (wrong: string, remedy: string): string => `${wrong}\n${remedy}`;

const quantity = <T>(what: string, remedy: string, pattern: RegExp, parse: (text: string) => T | undefined) =>
  z
    .string({ error: (issue) => explain(`This is not ${what}, but ${kindOf(issue.input)}.`, remedy) })
    .meta({ pattern: pattern.source })
    .transform((text, context): T => {
      const value = parse(text);
      if (value !== undefined) return value;
      context.addIssue({
        code: "custom",
        message: explain(`"${text}" is not ${what}.`, remedy),
        params: { code: "bad-quantity" },
      });
      return z.NEVER;
    });

/** What a value is, in the words of YAML. */
export const kindOf = (value: unknown): string =>
  value === undefined
    ? "missing"
    : value === null
      ? "empty"
      : Array.isArray(value)
        ? "a list"
        : typeof value === "object"
          ? "a map"
          : typeof value === "string"
            ? "a text"
            : `a ${typeof value}`;

/** Milliseconds from `250ms 5s 10m 1h 30d`. */
export const duration = () =>
  quantity(
    "a duration",
    "Write a number with its unit: 250ms, 5s, 10m, 1h or 30d.",
    /^\d+(\.\d+)?(ms|s|m|h|d)$/,
    parseDuration,
  );

/** Bytes from `64KiB 10MiB`. */
export const size = () =>
  quantity(
    "a size",
    "Write a number with its unit: 512B, 64KiB, 10MiB or 1GiB.",
    /^\d+(\.\d+)?(B|KiB|MiB|GiB)$/,
    parseSize,
  );

/** A part from 0 to 1 from `10%`. */
export const percent = () =>
  quantity(
    "a percentage",
    "Write a number from 0 to 100 with its sign: 10%.",
    /^\d+(\.\d+)?%$/,
    parsePercent,
  );

/** A quantity and a window from `100/1m`. */
export const rate = () =>
  quantity("a rate", "Write how many in which time: 100/1m.", /^\d+\/\d+(\.\d+)?(ms|s|m|h|d)$/, parseRate);

export const WRITE_QUOTA = "Write how many in which calendar period: 1000000/month.";

/** A quantity and a calendar period in UTC from `1000000/month`. */
export const quota = () =>
  z
    .string()
    .regex(/^[1-9]\d{0,14}\/(hour|day|week|month|year)$/, explain("This is not a quota.", WRITE_QUOTA))
    .transform((text) => parseQuota(text)!);

/** A reference to a secret: `{ env: NAME }`. */
export const secret = () =>
  z.strictObject(
    {
      env: z
        .string()
        .regex(
          /^[A-Z_][A-Z0-9_]*$/,
          explain(
            "This is not the name of a secret.",
            "Write a name of capitals, digits and underscores: { env: ORDERS_KEY }.",
          ),
        ),
    },
    {
      error: (issue) =>
        issue.code === "invalid_type"
          ? explain(
              "A secret's value does not belong in a policy file.",
              "Write a reference to it: { env: NAME }.",
            )
          : undefined,
    },
  );

/** A header field name, kept in lower case (RFC 9110 section 5.1). */
export const headerName = () =>
  z
    .string()
    .regex(
      /^[A-Za-z0-9!#$%&'*+.^`|~-]+$/,
      explain(
        "This is not the name of a header field.",
        "Write letters, digits and hyphens: x-request-id. An underscore is not accepted: servers confuse it with a hyphen.",
      ),
    )
    .transform((name) => name.toLowerCase());

/** One of a few words. */
export const oneOf = <const T extends readonly [string, ...string[]]>(...words: T) => z.enum(words);

/** A map keyed by names that people choose; the names of JavaScript's own properties are refused when files are read. */
export const named = <T extends z.ZodType>(value: T) => z.record(z.string(), value);

const scope = () =>
  z
    .string()
    .regex(
      /^[\x21\x23-\x5b\x5d-\x7e]+$/,
      explain("This is not one scope.", 'Write each scope by itself: ["users.read", "users.write"].'),
    );

const scopeList = () => z.array(scope()).min(1).optional();

/** Scopes that a token must have. */
export const tokenScopes = () =>
  z
    .strictObject({
      any: scopeList().describe("A token must have one of these scopes."),
      all: scopeList().describe("A token must have each of these scopes."),
    })
    .refine(({ any, all }) => any !== undefined || all !== undefined, {
      error: explain("No scope is asked for.", "Write `any: [users.read]`, or remove `scopes`."),
    });

/** Where a token stands in a request: one place. */
export const tokenPlace = () =>
  z
    .strictObject({
      header: headerName()
        .optional()
        .describe("A header: `authorization` carries `Bearer` and the token, any other the token alone."),
      cookie: z
        .string()
        .regex(
          /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/,
          explain("This is not the name of a cookie.", "Write letters, digits and hyphens: session."),
        )
        .optional()
        .describe("A cookie that holds the token."),
      query: z
        .string()
        .min(1)
        .optional()
        .describe(
          "A query parameter; its value ends in logs and histories (RFC 6750 section 5.3), so avoid it.",
        ),
    })
    .refine((places) => Object.values(places).filter((name) => name !== undefined).length === 1, {
      error: explain(
        "A token is read from one place.",
        "Write one of `header: authorization`, `cookie: name` and `query: name`.",
      ),
    });

/** Refuses entries of a list of limits that have the name of one above. */
export const namedOnce =
  (what: string) =>
  (limits: readonly { readonly name: string }[], context: z.RefinementCtx): void => {
    for (const [index, { name }] of limits.entries()) {
      if (limits.findIndex((other) => other.name === name) === index) continue;
      context.addIssue({
        code: "custom",
        path: [index, "name"],
        message: explain(`There is another ${what} "${name}" above.`, `Give each ${what} a name of its own.`),
        params: { code: "duplicate-limit" },
      });
    }
  };

/** Claims of a token by the header that carries them to the upstream. */
export const forwardedClaims = () =>
  z
    .record(headerName(), z.string().min(1))
    .default({})
    .describe("Headers for the upstream and the claims in them; whatever a client sends there is deleted.");

/** Whether a token that the gateway consumed travels on. */
export const forwardToken = () =>
  z
    .boolean()
    .default(false)
    .describe("Passes the token on to the upstream, which otherwise does not see it.");

/** What of a caller's plan may stand in its place: a quantity in words, which `parse` reads. */
interface PlanQuantity<T> {
  /** What it is called: a rate. */
  readonly what: string;
  /** What to write, in one sentence. */
  readonly write: string;
  readonly pattern: RegExp;
  readonly parse: (text: string) => T | undefined;
}

/** A quantity, or the word for that of each caller's plan. */
export const orPlan = <T>({ what, write, pattern, parse }: PlanQuantity<T>) =>
  z
    .string({ error: (issue) => explain(`This is not a ${what}, but ${kindOf(issue.input)}.`, write) })
    .meta({ pattern: pattern.source })
    .transform((text, context): T | "plan" => {
      const value = text === "plan" ? text : parse(text);
      if (value !== undefined) return value;
      context.addIssue({
        code: "custom",
        message: explain(`"${text}" is not a ${what}.`, write),
        params: { code: "bad-quantity" },
      });
      return z.NEVER;
    });

/** `onStoreFailure` says nothing where none of the limits (`what`) is counted in a store that may fail. */
export const failingStoreIsUsed =
  (what: string) =>
  (
    it: { readonly limits: readonly { readonly store: string }[]; readonly onStoreFailure?: unknown },
    context: z.core.$RefinementCtx,
  ): void => {
    if (it.onStoreFailure === undefined || it.limits.some(({ store }) => store === "redis")) return;
    context.addIssue({
      code: "custom",
      path: ["onStoreFailure"],
      message: explain(
        `No ${what} here is counted in a store that may fail.`,
        "Write `store: redis` for one of them, or remove `onStoreFailure`.",
      ),
      params: { code: "store-failure-without-store" },
    });
  };

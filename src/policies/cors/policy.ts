import { z } from "zod";
import { type CompileContext, definePolicy, type Instance } from "../../core/policy.ts";
import { duration, explain, headerName } from "../shapes.ts";
import { describe } from "./describe.ts";
import type { Step } from "./filter.ts";
import { type OriginPattern, parseOrigin } from "./origin-pattern.ts";

const origin = () =>
  z.string().transform((text, context): OriginPattern => {
    const parsed = parseOrigin(text);
    if (!("fault" in parsed)) return parsed;
    context.addIssue({ code: "custom", message: parsed.fault, params: { code: "bad-origin" } });
    return z.NEVER;
  });

const method = () =>
  z
    .string()
    .regex(
      /^(?:[A-Z][A-Z-]*|\*)$/,
      explain("This is not a method.", "Write methods in capitals, as browsers compare them: [GET, PUT]."),
    )
    .refine(
      (name) => name !== "CONNECT" && name !== "TRACE" && name !== "TRACK",
      explain("Browsers never send this method.", "Remove it."),
    );

const ALLOWED_HEADERS = [
  "authorization",
  "content-type",
  "idempotency-key",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-unmodified-since",
  "range",
  "x-api-key",
  "x-requested-with",
];

const schema = z.strictObject({
  origins: z
    .union([
      z.literal("any"),
      z.array(origin()).min(1, explain("No origin is listed.", "List at least one, or remove the policy.")),
    ])
    .describe(
      'Origins whose pages may read answers, such as https://shop.example.com; "https://*.example.com" takes one or more labels, null must be listed to match, any allows all. WebSockets that pages of other origins open are refused with 403.',
    ),
  methods: z
    .array(method())
    .optional()
    .describe(
      "Methods that pages may use; default: those of the route, or GET, HEAD, POST, PUT, PATCH and DELETE where it takes any.",
    ),
  headers: z
    .array(headerName())
    .default(ALLOWED_HEADERS)
    .describe(
      `Request header fields that pages may set beside those that browsers always allow; default: ${ALLOWED_HEADERS.join(", ")}.`,
    ),
  exposeHeaders: z
    .array(headerName())
    .default([])
    .describe(
      "Fields of an answer that pages may read beside those that browsers always show; default: none.",
    ),
  credentials: z
    .boolean()
    .default(false)
    .describe(
      "Whether pages may send cookies, client certificates and HTTP authentication of the browser; not with any.",
    ),
  maxAge: duration()
    .prefault("10m")
    .describe("How long a browser may remember the answer to a preflight; default 10m, 0s for never."),
});

type Config = z.output<typeof schema>;

export const cors = definePolicy({
  name: "cors",
  summary:
    "Lets pages of other origins call the API, exactly as the Fetch standard says; preflights are answered by the gateway.",
  attachment: "replaced",
  schema,
  compile: ([instance], context): Step | undefined => {
    if (instance === undefined) return undefined;
    checkOrigins(instance, context);
    checkWildcards(instance, context);
    const { origins, credentials, exposeHeaders, headers, maxAge, methods } = instance.config;
    return {
      origins: origins === "any" ? "any" : splitOrigins(origins),
      preflight: {
        "access-control-allow-methods": (methods ?? methodsOf(context)).join(", "),
        // An empty list needs no field: nothing is allowed without it.
        ...(headers.length > 0 ? { "access-control-allow-headers": headers.join(", ") } : {}),
        "access-control-max-age": String(Math.floor(maxAge / 1000)),
      },
      credentials,
      ...(exposeHeaders.length > 0 ? { expose: exposeHeaders.join(", ") } : {}),
    };
  },
  describe,
  filter: () => import("./filter.ts"),
});

const splitOrigins = (origins: readonly OriginPattern[]): Exclude<Step["origins"], "any"> => ({
  exact: origins.flatMap(({ prefix, suffix }) => (suffix === undefined ? [prefix] : [])),
  wildcards: origins.flatMap(({ prefix, suffix }) =>
    suffix === undefined ? [] : [[prefix, suffix] as const],
  ),
});

const methodsOf = ({ route }: CompileContext): readonly string[] => {
  if (route.methods.length === 0) return ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
  // HEAD is answered wherever GET is.
  return route.methods.includes("GET") && !route.methods.includes("HEAD")
    ? [...route.methods, "HEAD"]
    : route.methods;
};

/** With credentials, browsers take `*` for a name (Fetch, section 3.2.5), so it would not do what it says. */
const checkWildcards = (instance: Instance<Config>, context: CompileContext): void => {
  if (!instance.config.credentials) return;
  for (const key of ["methods", "headers", "exposeHeaders"] as const) {
    const index = instance.config[key]?.indexOf("*") ?? -1;
    if (index < 0) continue;
    context.report(instance, [key, index], {
      code: "cors-wildcard-with-credentials",
      message: "Beside `credentials: true`, browsers take * for a name and not for all names.",
      remedy: "List the names, or remove `credentials: true`.",
    });
  }
};

const checkOrigins = (instance: Instance<Config>, context: CompileContext): void => {
  const { origins, credentials } = instance.config;
  if (origins === "any") {
    if (!credentials) return;
    context.report(instance, ["credentials"], {
      code: "cors-any-with-credentials",
      message: "With `origins: any`, every page on the web could use the credentials of its visitor.",
      remedy: "List the origins that may, or remove `credentials: true`.",
    });
    return;
  }
  for (const [index, { prefix, suffix }] of origins.entries()) {
    if (prefix === "null" && credentials) {
      context.report(instance, ["origins", index], {
        code: "cors-null-with-credentials",
        severity: "warning",
        message:
          'Any page can make itself a frame whose origin is "null", and use the credentials of its visitor.',
        remedy: 'Remove "null", or `credentials: true`.',
      });
    }
    if (
      suffix !== undefined &&
      /^\.[a-z][a-z0-9-]*(:\d+)?$/.test(suffix) &&
      !suffix.startsWith(".localhost")
    ) {
      context.report(instance, ["origins", index], {
        code: "cors-wildcard-too-wide",
        severity: "warning",
        message: `This allows every host whose name ends with "${suffix}".`,
        remedy: "Name the domain that is yours: https://*.example.com.",
      });
    }
  }
};

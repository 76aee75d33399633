import { z } from "zod";
import { type CompileContext, definePolicy, type Instance, type Path } from "../../core/policy.ts";
import { MOST_PREFIX_SEGMENTS } from "../../core/purge.ts";
import { readPurgeUrl, scopeOfUrl } from "../../core/purge-target.ts";
import type { Template, TemplatePart } from "../../core/template.ts";
import { explain, size } from "../shapes.ts";
import { describe } from "./describe.ts";
import type { Step } from "./filter.ts";
import type { TargetStep } from "./scopes.ts";
import type { TagsFromStep } from "./tags-from.ts";

const MEBIBYTE = 1024 * 1024;

const list = (what: string, text: z.ZodType<string> = z.string().min(1)) =>
  z
    .array(text)
    .max(100, explain(`These are too many ${what}.`, "Write 100 at most, or a tag that they share."))
    .default([]);

const target = () =>
  z
    .string()
    .regex(
      /^(?:\/(?!\/)|\{request\.path\}|https?:\/\/[^/?#{}]+(?:[/?]|$))[^#]*$/i,
      explain(
        "This is neither a path nor a URL.",
        "Write a path of the request's own host, or a URL: /orders/{params.orderId} or https://api.example.com/orders.",
      ),
    );

const tagsFrom = z.strictObject({
  body: z
    .string()
    .regex(
      /^(?:\/(?:[^~/]|~[01])*)*$/,
      explain(
        "This is not a JSON Pointer.",
        "Write it as RFC 6901 does, from its first slash: /items or /data/ids.",
      ),
    )
    .describe(
      "JSON Pointer (RFC 6901) into the body of the request, to one value or a list of them. By a body that is not JSON, or has nothing there, nothing is purged.",
    ),
  as: z
    .string()
    .regex(
      /\{value\}/,
      explain("The value has no place in the tag.", 'Write {value} where it stands: "item:{value}".'),
    )
    .describe("The tag of a value, which stands in it as `{value}`."),
  max: z
    .int()
    .min(1)
    .max(1000)
    .default(100)
    .describe("How many values of a list are purged, the first ones; that there were more is logged."),
  maxBody: size()
    .refine((bytes) => bytes > 0 && bytes <= 16 * MEBIBYTE, {
      error: explain(
        "A body that is read is held in memory, and cannot be as large.",
        "Write a size from 1B to 16MiB: 64KiB.",
      ),
    })
    .default(MEBIBYTE)
    .describe(
      "The largest body that is read; a larger one is answered with 413, for nobody could say what it changes.",
    ),
});

const schema = z
  .strictObject({
    tags: list("tags").describe("Tags as caches give them, such as `user:{params.userId}`."),
    prefixes: list("prefixes", target()).describe(
      `Paths below which everything is purged, segment by segment: \`/orders\` purges /orders and /orders/1, not /ordersX. Up to ${MOST_PREFIX_SEGMENTS} segments; of the request's own host unless a URL is written.`,
    ),
    urls: list("URLs", target()).describe(
      "Paths as clients ask for them, or URLs. Without a query, whatever their query; with one, that one alone, without the parameters that the cache leaves out of its key.",
    ),
    tagsFrom: tagsFrom.optional().describe("Tags that the body of the request names."),
  })
  .refine(
    ({ tags, prefixes, urls, tagsFrom }) =>
      tags.length + prefixes.length + urls.length > 0 || tagsFrom !== undefined,
    {
      error: explain(
        "Nothing is said to be purged.",
        "Write at least one of `tags`, `prefixes`, `urls` and `tagsFrom`.",
      ),
      params: { code: "purge-of-nothing" },
    },
  );

type Config = z.output<typeof schema>;

const SAFE = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/** Purges what a request has changed. */
export const purge = definePolicy({
  name: "purge",
  summary:
    "Takes stored answers away after a request that changes something was answered with 2xx or 3xx: in the isolate that answers before the answer goes out, in all others within 5 seconds of Redis learning of it. It never changes the answer; where Redis could not be told, that is logged.",
  attachment: "replaced",
  schema,
  compile: ([instance], context): Step | undefined => {
    if (instance === undefined || context.route.id === "-") return undefined;
    const { tags, prefixes, urls, tagsFrom } = instance.config;
    warn(instance, context);
    const step: Step = {
      tags: tags.map((tag, index) => context.template(tag, instance, ["tags", index], "kept")),
      prefixes: prefixes.map((text, index) => targetOf(text, instance, ["prefixes", index], context)),
      urls: urls.map((text, index) => targetOf(text, instance, ["urls", index], context)),
      tagsFrom: tagsFrom === undefined ? null : tagsFromOf(tagsFrom, instance, context),
    };
    return isReading(context) ? undefined : step;
  },
  describe,
  filter: () => import("./filter.ts"),
});

const isReading = ({ route: { methods } }: CompileContext): boolean =>
  methods.length > 0 && methods.every((method) => SAFE.has(method));

const warn = (instance: Instance<Config>, context: CompileContext): void => {
  const { route, gateway } = context;
  if (!gateway.hasRedis && !gateway.development)
    context.report(instance, [], {
      code: "purge-stays-here",
      severity: "warning",
      message: "Only the isolate that answers learns of a purge, and there are many.",
      remedy:
        "Name Redis, through which the others learn of it: gateway: { stores: { redis: { url: { env: REDIS_URL }, token: { env: REDIS_TOKEN } } } }.",
      onKey: true,
    });
  // Attached further out, it meets routes of every kind, and these are no mistakes.
  if (instance.level === "route" && isReading(context))
    context.report(instance, [], {
      code: "purge-without-change",
      severity: "warning",
      message: `${route.id} answers only methods that change nothing, so nothing is purged.`,
      remedy: "Attach it to the route that writes.",
      onKey: true,
    });
};

/** A path or a URL, compiled as one text, so that faults stand where they are, and then cut. */
const targetOf = (
  text: string,
  instance: Instance<Config>,
  at: Path,
  context: CompileContext,
): TargetStep => {
  const origin = /^https?:\/\/[^/?]+/i.exec(text)?.[0] ?? "";
  const template = context.template(text, instance, at, "kept").map((part) => placed(part, context));
  const [path, query] = cutAt(afterText(template, origin.length), "?");
  checkTarget(text, origin, at, { instance, context });
  return { authority: authorityOf(origin), path: path!, query: query ?? null };
};

const authorityOf = (origin: string): string | null =>
  origin === "" ? null : (readPurgeUrl(origin)?.authority ?? "");

/** What remains of a path, and the path itself, are path text as they are. */
const placed = (part: TemplatePart, { route }: CompileContext): TemplatePart => {
  if (typeof part === "string") return part;
  const isPath =
    part.from === "params"
      ? route.restParams?.includes(part.name) === true
      : part.from === "request" && part.name === "path";
  return isPath ? { ...part, verbatim: true } : part;
};

const afterText = ([first, ...rest]: Template, length: number): Template => {
  if (length === 0 || typeof first !== "string") return first === undefined ? [] : [first, ...rest];
  return first.length > length ? [first.slice(length), ...rest] : rest;
};

/** Cuts a template where its text has a mark: the first time, or each time. */
const cutAt = (template: Template, mark: string, times = 1): Template[] => {
  const cuts: TemplatePart[][] = [[]];
  for (const part of template) {
    let text = part;
    while (typeof text === "string" && cuts.length <= times && text.includes(mark)) {
      const found = text.indexOf(mark);
      if (found > 0) cuts.at(-1)!.push(text.slice(0, found));
      cuts.push([]);
      text = text.slice(found + mark.length);
    }
    if (text !== "") cuts.at(-1)!.push(text);
  }
  return cuts;
};

const checkTarget = (
  text: string,
  origin: string,
  at: Path,
  { instance, context }: { readonly instance: Instance<Config>; readonly context: CompileContext },
): void => {
  const [kind] = at;
  const tell = (message: string, remedy: string): void =>
    context.report(instance, at, { code: "purge-bad-target", message, remedy });
  const path = text
    .slice(origin.length)
    .split("?")[0]!
    .replaceAll(/\{[^{}]*\}/g, "x");
  const rooted = path.startsWith("/") ? path : `/${path}`;
  const isUnread = origin !== "" && readPurgeUrl(origin) === undefined;
  if (isUnread || scopeOfUrl({ authority: "", path: rooted, query: "" }) === undefined)
    tell(
      "No request has such a URL.",
      "Write it as clients send it, and escape what it cannot hold: %25 for a percent sign, %20 for a blank.",
    );
  else if (kind === "prefixes" && text.includes("?"))
    tell("A prefix has no query.", "Remove the query, or write it under `urls`.");
  else if (kind === "prefixes" && /\/\*+$/.test(rooted))
    tell("A prefix is a path, and the star would be part of it.", "Write it without the star: /orders.");
  else if (kind === "prefixes" && rooted.replace(/\/+$/, "").split("/").length - 1 > MOST_PREFIX_SEGMENTS)
    tell(
      `A prefix has ${MOST_PREFIX_SEGMENTS} segments at most.`,
      "Write a shorter one, or a tag that those entries share.",
    );
};

/** As long as what it stands for, so that faults behind it stand where they are. */
const VALUE = "\0value\0";

const tagsFromOf = (
  { body, as, max, maxBody }: NonNullable<Config["tagsFrom"]>,
  instance: Instance<Config>,
  context: CompileContext,
): TagsFromStep => {
  const template = context.template(as.replaceAll("{value}", VALUE), instance, ["tagsFrom", "as"], "kept");
  const segments = body.split("/").slice(1);
  return {
    body: segments.map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~")),
    as: cutAt(template, VALUE, Number.POSITIVE_INFINITY),
    max,
    maxBytes: maxBody,
  };
};

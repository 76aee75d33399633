import { z } from "zod";
import { MOST_TAG_CHARACTERS } from "../../core/purge.ts";
import { duration, explain, headerName, oneOf, percent, size } from "../shapes.ts";

const MEBIBYTE = 1024 * 1024;

const name = (what: string) =>
  z.string().regex(/^[^\s;,="]+$/, explain(`This is not the name of ${what}.`, "Write the bare name."));

const key = z.strictObject({
  query: z
    .union([oneOf("declared", "all"), z.array(z.string().min(1))])
    .optional()
    .describe(
      "Query parameters that are part of the key; the others are not forwarded either. `declared` are those of the OpenAPI operation, and the default where there is one; else `all`.",
    ),
  headers: z
    .array(headerName())
    .default([])
    .describe("Request headers that are part of the key, beside what Vary names."),
  cookies: z.array(name("a cookie")).default([]).describe("Cookies that are part of the key."),
  claims: z.array(name("a claim")).default([]).describe("Claims of the caller that are part of the key."),
});

/** What a cache policy may say. */
export const cacheShape = z.strictObject({
  ttl: duration()
    .optional()
    .describe(
      "For how long a response is fresh where the origin does not say; without it, a tenth of its age counts.",
    ),
  override: z
    .boolean()
    .default(false)
    .describe("The ttl beats the origin's max-age and Expires, but never no-store, private or Set-Cookie."),
  staleWhileRevalidate: duration()
    .optional()
    .describe("For how long a stale response is still answered with while it is revalidated (RFC 5861)."),
  staleIfError: duration()
    .optional()
    .describe(
      "For how long a stale response is still answered with when the upstream fails (RFC 5861); after that it is 504 where the upstream cannot be reached.",
    ),
  shared: z
    .boolean()
    .default(false)
    .describe(
      "One entry for all callers, although the route identifies them; otherwise each has entries of its own.",
    ),
  key: key.prefault({}).describe("What beside scheme, host, path and caller tells entries apart."),
  tiers: z
    .array(oneOf("isolate", "edge", "redis"))
    .min(1, explain("No tier is left.", "Name isolate, edge or redis, or attach no cache."))
    .default(["isolate", "edge"])
    .describe(
      "Where entries are kept: the isolate's memory, the data centre's cache, Redis. They are asked in this order, and what a slower one has is brought into the faster ones.",
    ),
  tags: z
    .array(z.string().min(1).max(MOST_TAG_CHARACTERS))
    .max(32, explain("Nobody purges by so many tags.", "Write 32 at most."))
    .default([])
    .describe(
      `Names by which entries can be purged together, such as \`user:{params.userId}\`. One that comes to more than ${MOST_TAG_CHARACTERS} characters is left out.`,
    ),
  maxBody: size()
    .default(MEBIBYTE)
    .describe("The largest body that is stored; a larger one is passed on and not stored."),
  clientDirectives: z
    .boolean()
    .default(false)
    .describe("Heed a client's own Cache-Control, such as no-cache and only-if-cached."),
  coalesce: z
    .boolean()
    .default(true)
    .describe(
      "Requests for what is being fetched already wait for that, 5 seconds at most; `false` lets each go to the upstream.",
    ),
  jitter: percent()
    .optional()
    .describe(
      "Up to this share of its lifetime a response ends earlier, by chance, so that what was stored together does not end together.",
    ),
});

export type CacheConfig = z.output<typeof cacheShape>;

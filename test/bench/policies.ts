import { compile } from "../../src/compiler/compile.ts";
import type { Plan } from "../../src/core/plan.ts";
import { AUDIENCE, ISSUER } from "./tokens.ts";

export const HOST = "api.example.com";
/** Path and query of every request that is measured. */
export const TARGET = "/v1/area7/things12/4711?fields=name,price";

/** What a gateway of the benchmark has. */
export interface GatewayWords {
  readonly upstream: number;
  /** The issuer's public key, where callers are identified. */
  readonly publicJwk?: Readonly<Record<string, unknown>>;
  readonly routes?: number;
  readonly targets?: number;
  readonly control?: boolean;
  /** Policies may keep things in Redis; its secrets are those of `running.ts`. */
  readonly redis?: boolean;
  /** Routes come from an OpenAPI document of twenty operations. */
  readonly described?: boolean;
  /** Policies of the whole gateway. */
  readonly policies?: Readonly<Record<string, unknown>>;
}

/** Compiles policies as a user would write them. */
export const planOf = (words: GatewayWords): Plan => {
  const { publicJwk, policies = {}, control = false, redis = false } = words;
  const document = {
    gateway: {
      name: "bench",
      hosts: { public: HOST },
      clientIp: "connection",
      ...(control && { control: { token: { env: "CONTROL_TOKEN" } } }),
      ...(redis && { stores: { redis: { url: { env: "REDIS_URL" }, token: { env: "REDIS_TOKEN" } } } }),
      policies,
    },
    ...(publicJwk && {
      issuers: {
        main: { issuer: ISSUER, audiences: [AUDIENCE], algorithms: ["RS256"], jwks: { keys: [publicJwk] } },
      },
    }),
    upstreams: { origin: { targets: targetsOf(words) } },
    apis: {
      shop: {
        upstream: "origin",
        ...(publicJwk ? { policies: { jwt: { issuers: ["main"] } } } : { public: true }),
        ...(words.described
          ? { openapi: { file: DOCUMENT.file, operations: "all" } }
          : { routes: routesOf(words.routes ?? 1) }),
      },
    },
  };
  // YAML 1.2 takes JSON as it is.
  const { value, diagnostics } = compile(
    {
      policies: [{ file: "bench.yaml", text: JSON.stringify(document) }],
      openapi: new Map([[DOCUMENT.file, DOCUMENT]]),
    },
    undefined,
  );
  if (value !== undefined) return value;
  throw new Error(
    diagnostics.map(({ place, message }) => `${place.line}:${place.column} ${message}`).join("\n"),
  );
};

const targetsOf = ({ upstream, targets = 1 }: GatewayWords): Record<string, unknown> =>
  Object.fromEntries(
    Array.from({ length: targets }, (_, index) => [
      `target${index + 1}`,
      { url: `http://127.0.0.1:${upstream}`, network: "private", weight: targets - index },
    ]),
  );

/** Routes of twenty areas with twenty-five things each, twice over: one thing, and its parts. */
const routesOf = (count: number): Record<string, unknown> => {
  if (count === 1) return { one: { match: { path: "/v1/area7/things12/{id}", methods: ["GET"] } } };
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => {
      const thing = `/v1/area${index % 20}/things${Math.floor(index / 20) % 25}/{id}`;
      const path = index < count / 2 ? thing : `${thing}/parts/{part}`;
      return [`route${index}`, { match: { path, methods: ["GET"] } }];
    }),
  );
};

/** What is sent with POST: 200 bytes of JSON. */
const SENT = JSON.stringify({
  sku: "GARDEN-CHAIR-OILED",
  quantity: 2,
  price: { amount: "49.90", currency: "EUR" },
  tags: ["garden", "wood"],
  email: "ada@example.com",
  wanted: "2026-11-23T08:15:30Z",
  note: "Please ring twice, w",
});

const THING = {
  type: "object",
  required: ["sku", "quantity", "price"],
  additionalProperties: false,
  properties: {
    sku: { type: "string", pattern: "^[A-Z-]{3,40}$" },
    quantity: { type: "integer", minimum: 1, maximum: 99 },
    price: {
      type: "object",
      required: ["amount", "currency"],
      properties: {
        amount: { type: "string", pattern: "^\\d+\\.\\d{2}$" },
        currency: { enum: ["EUR", "USD"] },
      },
    },
    tags: { type: "array", items: { type: "string", maxLength: 20 }, maxItems: 10 },
    email: { type: "string", format: "email" },
    wanted: { type: "string", format: "date-time" },
    note: { type: "string", maxLength: 200 },
  },
};

/** Twenty operations: one thing of each of ten areas is read and written. */
const DOCUMENT = {
  file: "bench.json",
  text: JSON.stringify({
    openapi: "3.1.0",
    info: { title: "bench", version: "1" },
    paths: Object.fromEntries(
      Array.from({ length: 10 }, (_, area) => [
        `/v1/area${area}/things12/{id}`,
        {
          parameters: [
            { name: "id", in: "path", required: true, schema: { type: "integer", minimum: 1 } },
            {
              name: "fields",
              in: "query",
              explode: false,
              schema: { type: "array", items: { enum: ["name", "price"] } },
            },
          ],
          get: { operationId: `read${area}`, responses: { 200: { description: "A thing." } } },
          post: {
            operationId: `write${area}`,
            requestBody: { required: true, content: { "application/json": { schema: THING } } },
            responses: { 200: { description: "A thing." } },
          },
        },
      ]),
    ),
  }),
};

/** The request of a browser, as bytes. */
export const requestBytes = (token: string, target = TARGET, method: "GET" | "POST" = "GET"): Buffer =>
  Buffer.from(
    [
      `${method} ${target} HTTP/1.1`,
      `host: ${HOST}`,
      "user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0",
      "accept: application/json, text/plain;q=0.9, */*;q=0.8",
      "accept-language: en-US,en;q=0.7,de;q=0.3",
      "accept-encoding: gzip, deflate, br, zstd",
      "referer: https://www.example.com/garden/chairs",
      "origin: https://www.example.com",
      `authorization: Bearer ${token}`,
      "cookie: theme=dark; consent=1",
      "sec-fetch-dest: empty",
      "sec-fetch-mode: cors",
      "sec-fetch-site: same-site",
      ...(method === "POST" ? ["content-type: application/json", `content-length: ${SENT.length}`] : []),
      "",
      method === "POST" ? SENT : "",
    ].join("\r\n"),
  );

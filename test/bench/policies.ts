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
        routes: routesOf(words.routes ?? 1),
      },
    },
  };
  // YAML 1.2 takes JSON as it is.
  const { value, diagnostics } = compile(
    { policies: [{ file: "bench.yaml", text: JSON.stringify(document) }], openapi: new Map() },
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

/** The request of a browser, as bytes. */
export const requestBytes = (token: string, target = TARGET): Buffer =>
  Buffer.from(
    [
      `GET ${target} HTTP/1.1`,
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
      "",
      "",
    ].join("\r\n"),
  );

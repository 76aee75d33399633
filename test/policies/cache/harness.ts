import type { Exchange } from "../../../src/core/exchange.ts";
import { applyHeaderEdits, type HeaderEdit } from "../../../src/core/header-edits.ts";
import type { Identity } from "../../../src/core/identity.ts";
import type { Site } from "../../../src/core/policy.ts";
import type { Cache, Metrics, Ports } from "../../../src/core/ports.ts";
import { filter, type Step } from "../../../src/policies/cache/filter.ts";
import { type FakePorts, fakeExchange, fakePorts, fakeSite } from "../../support/ports.ts";

export const DEFAULT_STEP: Step = {
  forgetOnly: false,
  ttlMs: null,
  override: false,
  staleWhileRevalidateMs: null,
  staleIfErrorMs: null,
  perCaller: false,
  query: null,
  headers: [],
  cookies: [],
  claims: [],
  tiers: ["isolate"],
  tags: [],
  maxBody: 1024 * 1024,
  clientDirectives: false,
  coalesce: true,
  jitter: 0,
  behindProxy: false,
};

/** What the origin got: the request with the edits of filters applied. */
export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Headers;
}

export type Origin = (sent: Sent, exchange: Exchange) => Response | Promise<Response>;

/** Headers of a response as a table; a list of pairs where a field comes twice. */
export type Fields = Record<string, string> | [string, string][];

export const answer = (fields: Fields = {}, body: string | null = "body", status = 200): Response =>
  new Response(body, { status, headers: fields });

/** One answer as the client sees it. */
export interface Seen {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly cacheStatus: string;
  readonly result: string | undefined;
  readonly problemCode: string | undefined;
}

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: Fields;
  readonly body?: string;
  readonly identity?: Identity;
  readonly route?: string;
  readonly edits?: readonly HeaderEdit[];
  readonly upstreamQuery?: string;
  readonly lane?: string;
  readonly params?: Readonly<Record<string, string>>;
}

/** The data centre's cache of a test: keeps bytes and headers, knows no HTTP. */
export class FakeEdge implements Cache {
  readonly entries = new Map<string, { headers: [string, string][]; body: ArrayBuffer; ttlMs: number }>();
  gets = 0;
  async get(key: string): Promise<Response | undefined> {
    this.gets++;
    const found = this.entries.get(key);
    return found && new Response(found.body.slice(0), { headers: found.headers });
  }
  async put(key: string, response: Response, ttlMs: number): Promise<void> {
    this.entries.set(key, { headers: [...response.headers], body: await response.arrayBuffer(), ttlMs });
  }
  async delete(key: string): Promise<void> {
    this.entries.delete(key);
  }
}

/** A gateway with one cached route, an origin and a clock. */
export class Gateway {
  readonly ports: FakePorts;
  readonly site: Site;
  readonly sent: Sent[] = [];
  readonly counted: string[] = [];
  origin: Origin = () => answer();
  readonly #handlers = new Map<Step, ReturnType<NonNullable<ReturnType<typeof filter>>>>();
  readonly step: Step;

  constructor(
    step: Partial<Step> = {},
    { edge, ports, over }: { edge?: Cache; ports?: FakePorts; over?: Partial<Ports> } = {},
  ) {
    this.step = { ...DEFAULT_STEP, ...step };
    const metrics: Metrics = {
      count: (name, labels) => void this.counted.push(`${name}{${labels.join(",")}}`),
      observe: () => undefined,
      gauge: () => undefined,
    };
    this.ports = ports ?? fakePorts({ edgeCache: edge, metrics, ...over });
    this.site = fakeSite();
  }

  /** Sends a request and gives the raw answer of the filter, with the exchange. */
  begin(
    target: string,
    options: RequestOptions = {},
    step: Step = this.step,
  ): { response: Response | Promise<Response>; exchange: ReturnType<typeof fakeExchange> } {
    const { method = "GET", headers = {}, body } = options;
    const url = target.includes("://") ? target : `https://api.example.com${target}`;
    const request = new Request(url, { method, headers, ...(body === undefined ? {} : { body }) });
    const exchange = fakeExchange(request, {
      method,
      identity: options.identity,
      route: { id: options.route ?? "shop.read", api: "shop" },
      requestEdits: [...(options.edits ?? [])],
      upstreamQuery: options.upstreamQuery,
      lane: options.lane,
      params: options.params ?? {},
    });
    return { response: this.#handler(step)(exchange), exchange };
  }

  /** Sends a request, and waits until all that it set going has come to its end. */
  async send(target: string, options: RequestOptions = {}, step: Step = this.step): Promise<Seen> {
    const { response: pending, exchange } = this.begin(target, options, step);
    const response = await pending;
    const text = await response.text();
    await settled(exchange.deferred);
    const headers = new Headers(response.headers);
    applyHeaderEdits(headers, exchange.answerEdits);
    return {
      status: response.status,
      headers,
      text,
      cacheStatus: headers.get("cache-status") ?? "",
      result: exchange.cacheResult,
      problemCode: exchange.problemCode,
    };
  }

  /** Lets the origin answer so, once for each; after the last one, like the last. */
  answers(...responses: (() => Response)[]): this {
    let at = 0;
    this.origin = () => responses[Math.min(at++, responses.length - 1)]!();
    return this;
  }

  advance(seconds: number): void {
    this.ports.clock.advance(seconds * 1000);
  }

  /** An HTTP-date so many seconds from now. */
  date(seconds = 0): string {
    return new Date(this.ports.clock.ms + seconds * 1000).toUTCString();
  }

  #handler(step: Step) {
    const known = this.#handlers.get(step);
    if (known !== undefined) return known;
    const handler = filter(step, this.ports, this.site)!((exchange) => {
      const headers = new Headers(exchange.request.headers);
      applyHeaderEdits(headers, exchange.requestEdits);
      const sent: Sent = {
        method: exchange.method,
        path: exchange.path,
        query: exchange.upstreamQuery ?? exchange.query,
        headers,
      };
      this.sent.push(sent);
      return this.origin(sent, exchange);
    });
    this.#handlers.set(step, handler);
    return handler;
  }
}

/** Waits for deferred work, and for what that defers in turn. */
export const settled = async (deferred: readonly Promise<unknown>[]): Promise<void> => {
  for (let seen = 0; seen < deferred.length; ) {
    const now = deferred.length;
    await Promise.all(deferred.slice(seen, now));
    seen = now;
  }
};

export const caller = (id: string, claims: Record<string, unknown> = {}): Identity => ({
  kind: "jwt",
  id,
  claims,
});

const LIVE = { "cache-control": "max-age=600" };

/** Answers that a farther tier has to give back as they were: what they have, their fields, body and status. */
export const KEPT_WHOLE: readonly [what: string, fields: Fields, body: string | null, status: number][] = [
  ["no body", LIVE, null, 204],
  ["an empty body", LIVE, "", 200],
  ["a coded body", { ...LIVE, "content-encoding": "gzip" }, "x", 200],
  [
    "several cookies for their caller",
    [
      ["cache-control", "max-age=600"],
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
    ],
    "x",
    200,
  ],
  ["a Vary", { ...LIVE, vary: "accept" }, "x", 200],
  ["a lifetime that the platform would not grant", { "cache-control": "private, max-age=600" }, "x", 200],
];

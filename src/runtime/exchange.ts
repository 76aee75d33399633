import type { Exchange, RouteLabel } from "../core/exchange.ts";
import type { HeaderEdit } from "../core/header-edits.ts";
import type { Identity } from "../core/identity.ts";
import type { GatewayPlan, PathRules } from "../core/plan.ts";
import type { Defer, Ports } from "../core/ports.ts";
import { normalizePath, type PathFault } from "../lib/path.ts";
import { clientAddress, clientCountry, type Platform } from "./client-address.ts";

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({});
const NO_ROUTE: RouteLabel = { id: "-", api: "-" };

/** What every exchange of one gateway shares. */
export interface ExchangeSite {
  readonly gateway: GatewayPlan;
  readonly ports: Ports;
  readonly platform: Platform;
}

/**
 * An exchange, made from a request by cutting its URL's text: `new URL` costs fifteen times as much, and would bring the
 * path to a form of its own.
 */
export class RequestExchange implements Exchange {
  readonly request: Request;
  readonly method: string;
  readonly scheme: string;
  readonly host: string;
  readonly authority: string;
  readonly path: string;
  readonly query: string;
  /** Why the request's target cannot be read in one way only; no route is looked for then. */
  readonly fault: PathFault | "bad-host" | undefined;
  readonly defer: Defer;
  readonly startedAtMs: number;
  readonly preflightMethod: string | undefined;
  route: RouteLabel = NO_ROUTE;
  params = NO_PARAMS;
  identity: Identity | undefined = undefined;
  readonly requestEdits: HeaderEdit[] = [];
  readonly answerEdits: HeaderEdit[] = [];
  requestBody: Exchange["requestBody"] = undefined;
  requestSignal: AbortSignal | undefined = undefined;
  problemCode: string | undefined = undefined;
  refusal: string | undefined = undefined;
  target: string | undefined = undefined;
  upstreamMs = 0;
  cacheResult: string | undefined = undefined;
  upstreamQuery: string | undefined = undefined;
  opensWebSocket = false;
  addedQuery: string | undefined = undefined;
  /** The upstream's Response, whose headers cannot be changed. */
  upstreamResponse: Response | undefined = undefined;
  /** Set for a route with a split: chooses the lane when somebody first wants to know it. */
  chooseLane: ((exchange: RequestExchange) => string) | undefined = undefined;
  #lane: string | undefined = undefined;
  #requestId: string | undefined = undefined;
  #clientIp: string | undefined = undefined;
  #clientCountry: string | undefined = undefined;
  readonly #site: ExchangeSite;

  constructor(request: Request, defer: Defer, site: ExchangeSite) {
    this.request = request;
    this.method = request.method;
    this.defer = defer;
    this.#site = site;
    this.startedAtMs = site.ports.clock.now();
    const url = request.url;
    const authorityAt = url.indexOf("://") + 3;
    const pathAt = url.indexOf("/", authorityAt);
    const queryAt = url.indexOf("?", authorityAt);
    const pathEnd = queryAt < 0 ? url.length : queryAt;
    const authorityEnd = pathAt < 0 || pathAt > pathEnd ? pathEnd : pathAt;
    this.scheme = url.slice(0, authorityAt - 3);
    this.authority = url.slice(authorityAt, authorityEnd).toLowerCase();
    this.host = hostOf(this.authority);
    this.query = queryAt < 0 ? "" : url.slice(queryAt);
    const { path, fault } = normalTarget(
      url.slice(authorityEnd, pathEnd) || "/",
      this.query,
      site.gateway.paths,
    );
    this.path = path;
    this.fault = isAuthority(this.authority, request.headers.get("host")) ? fault : "bad-host";
    this.preflightMethod = this.method === "OPTIONS" ? preflightMethodOf(request.headers) : undefined;
  }

  get requestId(): string {
    return (this.#requestId ??= this.#site.ports.random.uuid());
  }

  set requestId(id: string) {
    this.#requestId = id;
  }

  get lane(): string | undefined {
    if (this.#lane === undefined && this.chooseLane !== undefined) this.#lane = this.chooseLane(this);
    return this.#lane;
  }

  fork(): RequestExchange {
    const other = new RequestExchange(this.request, this.defer, this.#site);
    other.route = this.route;
    other.params = this.params;
    other.identity = this.identity;
    other.requestEdits.push(...this.requestEdits);
    other.requestBody = this.requestBody;
    other.requestSignal = this.requestSignal;
    other.upstreamQuery = this.upstreamQuery;
    other.addedQuery = this.addedQuery;
    other.chooseLane = this.chooseLane;
    other.#lane = this.#lane;
    other.#requestId = this.#requestId;
    other.#clientIp = this.#clientIp;
    other.#clientCountry = this.#clientCountry;
    return other;
  }

  get clientIp(): string {
    return (this.#clientIp ??= clientAddress(this.request, this.#site.gateway.clientIp, this.#site.platform));
  }

  get clientCountry(): string {
    const { gateway, platform } = this.#site;
    return (this.#clientCountry ??= clientCountry(this.request, gateway.clientIp, platform));
  }
}

const AUTHORITY = /^(?:[a-z0-9_][a-z0-9_.-]*|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;

/**
 * Whether host and port are that and nothing else. The URL is the Host field and the target in one text: a slash or a
 * question mark in the field would move the border between the two (RFC 9112 section 3.2, S5).
 */
const isAuthority = (authority: string, field: string | null): boolean =>
  AUTHORITY.test(authority) && (field === authority || field === null || AUTHORITY.test(field));

/** Lower case already; without the port and without the dot of a fully qualified name. */
const hostOf = (authority: string): string => {
  const end = authority.charCodeAt(0) === 91 ? authority.indexOf("]") + 1 : authority.indexOf(":");
  const host = end <= 0 ? authority : authority.slice(0, end);
  return host.charCodeAt(host.length - 1) === 46 ? host.slice(0, -1) : host;
};

/** A fragment in a request target is no fragment to anybody but `fetch`, which would cut it off. */
const normalTarget = (
  text: string,
  query: string,
  rules: PathRules,
): { path: string; fault: PathFault | undefined } => {
  if (query !== "" && query.includes("#")) return { path: "/", fault: "forbidden-character" };
  const normalized = normalizePath(text, rules);
  return "path" in normalized
    ? { path: normalized.path, fault: undefined }
    : { path: "/", fault: normalized.fault };
};

/** CORS-preflight request (Fetch standard, section 3.2.2): OPTIONS with Origin and Access-Control-Request-Method. */
const preflightMethodOf = (headers: Headers): string | undefined => {
  const method = headers.get("access-control-request-method");
  return method !== null && headers.has("origin") ? method : undefined;
};

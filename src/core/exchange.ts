import type { HeaderEdit } from "./header-edits.ts";
import type { Identity } from "./identity.ts";
import type { Defer } from "./ports.ts";

/** The part of a route that filters may know while a request runs. */
export interface RouteLabel {
  /** `api.route`, or `-` when no route matched. */
  readonly id: string;
  readonly api: string;
}

/** One request on its way through the gateway. Lives for that request only; nothing of it is kept in ports. */
export interface Exchange {
  /** As the client sent it; its body is read by the forwarder at most once. */
  readonly request: Request;
  readonly method: string;
  readonly scheme: string;
  /** Lower case, without port. */
  readonly host: string;
  /** Lower case, with the port when the client named one. */
  readonly authority: string;
  /** Normalized: what the router, the policies, the cache key and the upstream all see. */
  readonly path: string;
  /** As received, with its `?`, or empty. */
  readonly query: string;
  readonly defer: Defer;
  readonly startedAtMs: number;

  route: RouteLabel;
  /** The upstream that the route's split chose, in which retries stay too; undefined without a split. */
  readonly lane: string | undefined;
  /** Decoded path and host parameters. */
  params: Readonly<Record<string, string>>;
  identity: Identity | undefined;
  /** The client's address, or empty where the gateway may not know it. */
  readonly clientIp: string;
  /**
   * The country of that address as Cloudflare has it: a code of ISO 3166-1, T1 for Tor, XX where there is none for it; empty
   * where the gateway may not know.
   */
  readonly clientCountry: string;
  /** The request opens a WebSocket (RFC 6455), and its route offers them. */
  readonly opensWebSocket: boolean;
  /** Begun on first use unless the requestId policy set it. */
  requestId: string;
  /** For an OPTIONS request that is a CORS preflight: the method that it asks for; otherwise undefined. */
  readonly preflightMethod: string | undefined;

  /** Edits to the request that goes to the upstream, merged into one copy by the forwarder. */
  readonly requestEdits: HeaderEdit[];
  /** Edits to the answer that goes to the client, merged into one copy when every filter has returned. */
  readonly answerEdits: HeaderEdit[];
  /**
   * What the forwarder sends in place of `request.body`: a stream where it is only watched on its way, bytes where a policy
   * has read it (they go out with their length).
   */
  requestBody: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null | undefined;
  /** Aborted where a stream in `requestBody` will never be whole: the call that sends it has to end, and not to look complete. */
  requestSignal?: AbortSignal | undefined;
  /** Set where the upstream is to see another query than the client sent, with its `?`; undefined means `query`. */
  upstreamQuery?: string | undefined;
  /**
   * Parameters that the gateway adds behind that, without `?`: escaped, and kept whatever a cache leaves out of the client's.
   * They tell entries apart, but are no part of the address that callers know.
   */
  addedQuery?: string | undefined;
  /** Code of the problem that the gateway itself answered with, for logs and metrics. */
  problemCode: string | undefined;
  /** Which policy refused and why, for the log alone. */
  refusal: string | undefined;
  /** Name of the target that answered, for logs. */
  target: string | undefined;
  /** Milliseconds spent waiting for upstreams. */
  upstreamMs: number;
  /** `hit`, `miss`, `stale`, … when a cache policy ran, for logs and metrics. */
  cacheResult: string | undefined;

  /**
   * Another exchange of the same request, as far as it has come: the same caller, route and edits, but results of its own. For
   * calls beside the one that answers the client.
   */
  fork(): Exchange;
}

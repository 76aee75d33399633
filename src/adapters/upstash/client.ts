import { Redis } from "@upstash/redis/cloudflare";
import type { Fetcher } from "../../core/ports.ts";
import { within } from "../../lib/within.ts";

export interface Access {
  /** Undefined where there is none: every command then fails. */
  readonly fetcher: Fetcher | undefined;
  readonly url: string;
  readonly token: string;
}

/** What the SDK asks of whoever carries its commands, as far as this adapter uses it. */
interface Carried {
  readonly body?: unknown;
}

interface Reply {
  readonly result?: unknown;
  readonly error?: string;
}

/**
 * Commands through @upstash/redis; every one fails when `budgetMs` is over, by a timer of our own that also ends the call. The
 * requests are carried by the gateway's own fetcher, for the SDK's carrier knows the public network only, and waits 4.3 s with
 * five retries where Redis is away. What else the SDK does by default is off on purpose: a pipeline around a single command,
 * values taken for JSON, telemetry, timings on the console.
 */
export const redisClient = (access: Access, budgetMs: number): Redis => new CarriedRedis(access, budgetMs);

class CarriedRedis extends Redis {
  constructor({ fetcher, url, token }: Access, budgetMs: number) {
    super({
      // For the SDK's own carrier, which is replaced below: it throws at addresses that it does not like.
      url: "https://redis.invalid",
      token: "unused",
      enableAutoPipelining: false,
      automaticDeserialization: false,
      enableTelemetry: false,
      latencyLogging: false,
    });
    const base = url.replace(/\/+$/, "");
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const request = ({ body }: Carried): Promise<Reply> =>
      within(budgetMs, async (signal) => {
        if (fetcher === undefined) throw new Error("There is no way to Redis.");
        const init = {
          method: "POST",
          headers,
          body: JSON.stringify(body),
          redirect: "manual",
          signal,
        } as const;
        return replyOf(await fetcher.fetch(base, init));
      });
    this.client = { request: request as typeof this.client.request };
  }
}

/** Rejects for what is no answer of Redis: something in between may have answered in its place. */
const replyOf = async (response: Response): Promise<Reply> => {
  const reply = (await response.json()) as Reply | null;
  if (typeof reply !== "object" || reply === null) throw new Error("This is not an answer of Redis.");
  if (typeof reply.error === "string") return { error: reply.error };
  if (!response.ok || !("result" in reply)) throw new Error(`Redis answered ${response.status}.`);
  return { result: reply.result };
};

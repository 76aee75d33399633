import { env } from "cloudflare:workers";
import { cloudflarePorts } from "../../src/adapters/cloudflare/ports.ts";
import { storeCounterPort } from "../../src/adapters/upstash/counter.ts";
import { storePort } from "../../src/adapters/upstash/store.ts";
import type { Defer, Limit } from "../../src/core/ports.ts";

/** The ports to Redis on the platform itself, and nothing of a gateway: each can be asked over HTTP. */
const settings = { gateway: "shop", url: "REDIS_URL", token: "REDIS_TOKEN" };
const ports = cloudflarePorts(env, undefined);
const store = storePort(settings)(env, ports).store!;
const counter = storeCounterPort(settings)(env, ports).storeCounter!;

const LIMIT: Limit = { algorithm: "slidingWindow", quantity: 20, windowMs: 60_000 };

export default {
  async fetch(request: Request, _env: unknown, context: Defer): Promise<Response> {
    const { pathname } = new URL(request.url);
    const key = pathname.slice(1);
    if (pathname === "/__postern/health") return new Response("ok");
    switch (request.method) {
      case "PUT":
        // As a policy does: nobody waits.
        context.waitUntil(store.put(key, new Uint8Array(await request.arrayBuffer()), 60_000));
        return new Response(undefined, { status: 202 });
      case "DELETE":
        await store.delete(key);
        return new Response(undefined, { status: 204 });
      case "POST":
        return Promise.resolve(counter.take([key], [LIMIT], 1)).then(
          ([state]) => new Response(undefined, { status: state!.allowed ? 200 : 429 }),
          () => new Response(undefined, { status: 503 }),
        );
      default: {
        const bytes = await store.get(key);
        return bytes === undefined ? new Response(undefined, { status: 404 }) : new Response(bytes);
      }
    }
  },
};

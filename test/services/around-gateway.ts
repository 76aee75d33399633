import { env } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import type { CredentialPlan } from "../../src/core/upstream-plan.ts";
import { Problem } from "../../src/services/http/problem.ts";
import type { ServiceBindings } from "../../src/services/http/service.ts";
import { brokenBindings } from "./client.ts";
import { gatewayWith, KEYS, type Proving } from "./gateway.ts";

interface Worker {
  readonly fetch: (request: Request, bindings: ServiceBindings) => Response | Promise<Response>;
}

/** What a test sends, and what is changed of it after the gateway let it go. */
export interface Sent extends Proving {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly altered?: (proven: Request) => Request;
  readonly bindings?: Partial<ServiceBindings>;
}

const bindings = (more: Partial<ServiceBindings> = {}) =>
  ({ DB: env.DB, ...KEYS, ...more }) as ServiceBindings;

/** Sends what the gateway would, or something else in its place. */
export const asker = (worker: Worker, credential: CredentialPlan) => {
  const throughGateway = gatewayWith(credential);
  const made = ({ method = "GET", target = "/", headers = {}, json }: Sent): Request =>
    new Request(`http://service.test${target}`, {
      method,
      headers: { ...(json !== undefined && { "content-type": "application/json" }), ...headers },
      ...(json !== undefined && { body: JSON.stringify(json) }),
    });
  return {
    through: async (sent: Sent): Promise<Response> => {
      const proven = await throughGateway(made(sent), sent);
      return worker.fetch((sent.altered ?? ((it) => it))(proven), bindings(sent.bindings));
    },
    around: async (sent: Sent): Promise<Response> => worker.fetch(made(sent), bindings(sent.bindings)),
  };
};

export const expectRefusal = async (response: Response): Promise<void> => {
  const { status, headers } = response;
  expect([status, headers.get("content-type")]).toEqual([401, "application/problem+json"]);
  expect([headers.get("www-authenticate"), headers.get("cache-control")]).toEqual(["Gateway", "no-store"]);
  // The same words for whatever it lacks.
  const text = await response.text();
  const words = { code: "not-authenticated", detail: "Only the gateway may ask this service." };
  // An answer to HEAD has none.
  if (text !== "") expect(Problem.strict().parse(JSON.parse(text))).toMatchObject(words);
};

/** The same request with some header fields set, or taken off where they have no value. */
export const withFields =
  (fields: Readonly<Record<string, string | undefined>>) =>
  (request: Request): Request => {
    const headers = new Headers(request.headers);
    for (const [name, value] of Object.entries(fields)) {
      if (value === undefined) headers.delete(name);
      else headers.set(name, value);
    }
    return new Request(request, { headers });
  };

/** The sentences that hold for every service, whatever proves the gateway to it. */
export const describeClosedService = (
  worker: Worker,
  credential: CredentialPlan,
  known: { readonly target: string; readonly headers: Readonly<Record<string, string>> },
) => {
  const { through, around } = asker(worker, credential);
  const { secret } = credential as { secret: keyof typeof KEYS };

  describe("a service", () => {
    it("answers what came through the gateway", async () => {
      expect((await through(known)).status).toBe(200);
    });

    it.each([
      ["something that is there", "GET", known.target],
      ["a path that is not", "GET", "/nothing"],
      ["a method that is not", "DELETE", known.target],
      ["a path that begins like the health check's", "GET", "/healthz/x"],
      ["a path that holds the health check's", "GET", "//healthz"],
    ])("refuses who comes around it and asks for %s", async (_, method, target) => {
      await expectRefusal(await around({ ...known, method, target }));
    });

    it("refuses a credential that was made with another key", async () => {
      await expectRefusal(await through({ ...known, key: "x".repeat(32) }));
    });

    it("accepts what it accepted once while that is good, and not a moment longer", async () => {
      let proven: Request | undefined;
      const keep = (request: Request): Request => (proven = request.clone() as Request);
      expect((await through({ ...known, altered: keep })).status).toBe(200);
      const again = () => worker.fetch(proven!.clone() as Request, bindings());
      const { lifetimeSeconds } = credential as { lifetimeSeconds: number };
      const now = Date.now();
      vi.useFakeTimers({ toFake: ["Date"], now });
      try {
        expect((await again()).status).toBe(200);
        vi.setSystemTime(now + lifetimeSeconds * 1000 + 3000);
        expect((await again()).status).toBe(200);
        vi.setSystemTime(now + lifetimeSeconds * 1000 + 6000);
        await expectRefusal(await again());
      } finally {
        vi.useRealTimers();
      }
    });

    it("accepts the key from before while that is being replaced, and no longer", async () => {
      const key = "the key of last year, of the tests only";
      const replacing = { [`${secret}_OLD`]: key };
      expect((await through({ ...known, key, bindings: replacing })).status).toBe(200);
      expect((await through({ ...known, bindings: replacing })).status).toBe(200);
      await expectRefusal(await through({ ...known, key }));
    });

    it.each([
      ["is not set", undefined],
      ["is empty", ""],
      ["is too short to prove anything", "x".repeat(31)],
    ])("answers nobody while its key %s, and the log says why", async (_, key) => {
      const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
      const without = { [secret]: key };
      // A key that is too short makes no credential at all: so whoever asks has a good one.
      for (const response of [
        await around({ ...known, bindings: without }),
        await through({ ...known, bindings: without }),
      ]) {
        expect(response.status).toBe(503);
        expect(await response.json()).toMatchObject({ code: "unavailable" });
      }
      expect(log.mock.calls[0]).toMatchObject([{ cause: expect.stringContaining(`${secret} is not set`) }]);
      log.mockRestore();
    });

    it("tells anybody whether it is well, and nothing else", async () => {
      const healthy = await around({ target: "/healthz" });
      expect([healthy.status, await healthy.json()]).toEqual([200, { status: "ok" }]);
    });

    it("does not ask its database on behalf of who comes around the gateway", async () => {
      await expectRefusal(await around({ ...known, bindings: brokenBindings }));
    });
  });
};

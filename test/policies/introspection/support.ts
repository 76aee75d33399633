import type { Authenticator, Verdict } from "../../../src/core/identity.ts";
import { authenticator, type Step } from "../../../src/policies/introspection/filter.ts";
import { fakeExchange, fakePorts, fakeSite } from "../../support/ports.ts";

/** The clock of `fakePorts`, in seconds. */
export const NOW = Date.parse("2026-01-01T00:00:00Z") / 1000;

export const good = {
  active: true,
  sub: "42",
  client_id: "app",
  scope: "users.read users.write",
  exp: NOW + 600,
};

export const step: Step = {
  server: {
    url: "https://login.example.com/introspect",
    network: "public",
    clientId: "gate way",
    secret: "CLIENT_SECRET",
    timeoutMs: 2000,
    cacheForMs: 60_000,
  },
  issuer: null,
  audiences: null,
  from: { in: "bearer", name: "authorization" },
  scopes: { any: [], all: [] },
  forward: {},
  forwardCredential: false,
};

/** An authorization server whose answers a test sets, and policies that ask it. */
export const world = (over: Partial<Step> = {}) => {
  const calls: { url: string; init: RequestInit | undefined }[] = [];
  const opened: unknown[] = [];
  const server = { answer: (): Response | Promise<Response> => Response.json(good) };
  const network = async (url: string, init?: RequestInit): Promise<Response> => {
    calls.push({ url, init });
    return server.answer();
  };
  const ports = fakePorts({
    secretValues: { CLIENT_SECRET: "s:e%c r+t" },
    fetch: {
      open: (address) => {
        opened.push(address);
        return { fetch: network };
      },
    },
  });
  const site = fakeSite();
  const link = (more: Partial<Step> = {}): Authenticator =>
    authenticator({ ...step, ...over, ...more }, ports, site);
  const policy = link();
  const deferred: Promise<unknown>[] = [];
  const ask = async (token: string, by = policy): Promise<Verdict> => {
    const exchange = bearing(token);
    const verdict = await by.authenticate(exchange);
    deferred.push(...exchange.deferred);
    return verdict;
  };
  return { server, calls, opened, ports, link, policy, ask, deferred, clock: ports.clock };
};

export const bearing = (token: string) =>
  fakeExchange(new Request("https://api.example.com/", { headers: { authorization: `Bearer ${token}` } }));

/** The code of a refusal, or the outcome where it is none. */
export const codeOf = (verdict: Verdict): string => ("code" in verdict ? verdict.code : verdict.outcome);

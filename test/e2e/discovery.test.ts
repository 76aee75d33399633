import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Answer, decode } from "dns-packet";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { address, alias, dnsMessage, service } from "../support/dns.ts";
import { freePort, type Served, serve } from "../support/served.ts";
import { until } from "./until.ts";
import { ask, dial, problemOf, requestText } from "./wire.ts";

/** A listener on an address of loopback. */
interface Listener {
  readonly port: number;
  stop(): Promise<void>;
}

const listenAt = async (host: string, port: number, server: Server): Promise<Listener> => {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

/** An origin that says its name and what it was asked. */
const origin = (name: string, host = "127.0.0.1", port = 0): Promise<Listener> =>
  listenAt(
    host,
    port,
    createServer((request, response) => {
      request.resume();
      response.end(JSON.stringify({ name, url: request.url, headers: request.headers }));
    }),
  );

/** What the resolver says of each name; names that are not here are not known to it. */
const zone = new Map<string, readonly Answer[]>();
/** Names of which the resolver says nothing until it is let. */
const held = new Map<string, Promise<void>>();
const asked: string[] = [];

/** A resolver (RFC 8484) that reads questions and writes answers with a library of others. */
const startResolver = (port = 0): Promise<Listener> =>
  listenAt(
    "127.0.0.1",
    port,
    createServer(async (request, response) => {
      const url = new URL(request.url!, "http://resolver");
      const question = decode(Buffer.from(url.searchParams.get("dns") ?? "", "base64url")).questions?.[0];
      const { name, type } = question as { name: string; type: "A" | "AAAA" | "SRV" };
      asked.push(name);
      await held.get(name);
      const answers = zone.get(name);
      response.setHeader("content-type", "application/dns-message");
      response.end(dnsMessage({ name, type, answers: answers ?? [], rcode: answers === undefined ? 3 : 0 }));
    }),
  );

let resolver: Listener;
let served: Served;
const listeners: Listener[] = [];
let eu: Listener;
let us: Listener;
let bare: Listener;

const policies = (resolverPort: number, nobody: number): string => {
  const at = (port: number): string => `resolver: "http://127.0.0.1:${port}/dns-query"`;
  const srv = (name: string, port = resolverPort): string =>
    `{ discover: { dns: { name: _http._tcp.${name}, type: SRV, ${at(port)} }, scheme: http, path: /v1, network: private, refresh: 1s }, retry: { retries: 1 } }`;
  return `
gateway:
  name: found
  hosts: { public: api.example.com }
  clientIp: connection
upstreams:
  hosts: ${srv("hosts.test")}
  slow: ${srv("slow.test")}
  unknown: ${srv("unknown.test")}
  unheard: ${srv("unheard.test", nobody)}
  addresses:
    discover:
      dns: { name: addresses.test, type: A, ${at(resolverPort)} }
      scheme: http
      port: ${bare.port}
      network: private
      refresh: 1s
    balancer: roundRobin
  six:
    discover:
      dns: { name: six.test, type: AAAA, ${at(resolverPort)} }
      scheme: http
      port: ${bare.port}
      network: private
apis:
  all:
    public: true
    routes:
${["hosts", "slow", "unknown", "unheard", "addresses", "six"]
  .map((name) => `      ${name}: { upstream: ${name}, match: { pathPrefix: /${name} } }`)
  .join("\n")}
`;
};

beforeAll(async () => {
  bare = await origin("one", "127.0.0.1");
  eu = await origin("eu");
  us = await origin("us");
  listeners.push(
    bare,
    eu,
    us,
    await origin("two", "127.0.0.2", bare.port),
    await origin("three", "::1", bare.port),
  );
  resolver = await startResolver();
  served = await serve({ files: { "gateway.yaml": policies(resolver.port, await freePort()) } });
});

afterAll(async () => {
  expect(await served.stop()).toBe(0);
  await resolver.stop().catch(() => {});
  for (const listener of listeners) await listener.stop();
});

interface Seen {
  readonly name: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

const get = (path: string) => ask(served.port, requestText(`GET ${path}`, ["Connection: close"]));

const seenBy = async (path: string): Promise<Seen> => {
  const answer = await get(path);
  expect([answer.status, answer.body.toString()]).toEqual([200, expect.stringContaining("{")]);
  return JSON.parse(answer.body.toString()) as Seen;
};

/** Names of the origins that answered some requests. */
const names = async (path: string, count: number): Promise<string[]> => {
  const seen = new Set<string>();
  for (let times = 0; times < count; times++) seen.add((await seenBy(path)).name);
  return [...seen].sort();
};

const HOSTS = "_http._tcp.hosts.test";

describe("SRV records", () => {
  it("name a target, which the first request reaches, below the base path", async () => {
    zone.set(HOSTS, [service(HOSTS, "localhost", eu.port)]);
    const seen = await seenBy("/hosts/a?b=c");
    expect(seen).toMatchObject({ name: "eu", url: "/v1/hosts/a?b=c" });
    expect(seen.headers).toMatchObject({
      host: `localhost:${eu.port}`,
      "x-forwarded-host": "api.example.com",
    });
  });

  it("name another target, and within `refresh` it gets requests too", async () => {
    zone.set(HOSTS, [service(HOSTS, "localhost", eu.port), service(HOSTS, "localhost", us.port)]);
    const begun = Date.now();
    await until("an answer of the other", async () => (await seenBy("/hosts")).name === "us", 4000);
    expect(Date.now() - begun).toBeLessThan(1000 + 1500);
    expect(await names("/hosts", 10)).toEqual(["eu", "us"]);
  });

  it("no longer name a target, and within `refresh` it gets none", async () => {
    zone.set(HOSTS, [service(HOSTS, "localhost", us.port)]);
    await until("the change", async () => (await names("/hosts", 6)).join() === "us", 4000);
  });

  it("are not known any more: requests go on", async () => {
    zone.delete(HOSTS);
    const before = asked.length;
    await until(
      "two more look-ups",
      async () => {
        expect(await names("/hosts", 1)).toEqual(["us"]);
        return asked.length >= before + 2;
      },
      5000,
    );
    expect(await names("/hosts", 5)).toEqual(["us"]);
  });
});

describe("A and AAAA records", () => {
  it("name targets on the port of the policies; the service sees the address in Host", async () => {
    zone.set("addresses.test", [
      alias("addresses.test", "pool.test"),
      address("pool.test", "127.0.0.1"),
      address("pool.test", "127.0.0.2"),
    ]);
    expect(await names("/addresses", 6)).toEqual(["one", "two"]);
    const { headers } = await seenBy("/addresses");
    expect(headers.host).toMatch(new RegExp(`^127\\.0\\.0\\.[12]:${bare.port}$`));
    expect(headers["x-forwarded-host"]).toBe("api.example.com");
  });

  it("name IPv6 addresses", async () => {
    zone.set("six.test", [address("six.test", "::1")]);
    const { name, headers } = await seenBy("/six");
    expect({ name, host: headers.host }).toEqual({ name: "three", host: `[::1]:${bare.port}` });
  });
});

describe("where nothing was ever found", () => {
  it.each([
    ["the name is not known", "/unknown"],
    ["the resolver cannot be reached", "/unheard"],
  ])("and %s, the answer is 503 at once", async (_, path) => {
    const begun = Date.now();
    const answer = await get(path);
    expect(Date.now() - begun).toBeLessThan(1500);
    expect(problemOf(answer)).toMatchObject({ status: 503, code: "no-target" });
  });

  it("the next look-up finds what has come meanwhile", async () => {
    const name = "_http._tcp.unknown.test";
    zone.set(name, [service(name, "localhost", eu.port)]);
    await until("an answer", async () => (await get("/unknown")).status === 200, 5000);
  });
});

describe("requests that come while the first look-up is under way", () => {
  it("wait for it, ask no more, and are served though the one that asked has gone", async () => {
    const name = "_http._tcp.slow.test";
    let release = (): void => {};
    held.set(name, new Promise((resolve) => (release = resolve)));
    zone.set(name, [service(name, "localhost", eu.port)]);
    const text = requestText("GET /slow", ["Connection: close"]);
    const first = await dial(served.port);
    first.send(text);
    await until("the question", () => asked.includes(name));
    const others = await Promise.all(Array.from({ length: 5 }, () => dial(served.port)));
    for (const other of others) other.send(text);
    await new Promise((resolve) => setTimeout(resolve, 200));
    first.socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(others.map((other) => other.bytes().length)).toEqual([0, 0, 0, 0, 0]);
    release();
    const answers = await Promise.all(others.map((other) => other.answer()));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(asked.filter((it) => it === name)).toHaveLength(1);
    for (const other of others) other.socket.destroy();
  });
});

describe("the resolver dies", () => {
  it("and requests go on, to the targets that were there last", async () => {
    await resolver.stop();
    const before = served.output().length;
    await until(
      "three failed look-ups",
      async () => {
        expect((await get("/hosts")).status).toBe(200);
        expect((await get("/addresses")).status).toBe(200);
        const logged = served.output().slice(before).split("could not be looked up").length - 1;
        return logged >= 6;
      },
      8000,
    );
    expect(await names("/addresses", 6)).toEqual(["one", "two"]);
  });

  it("and comes back with other targets, which are used from then on", async () => {
    zone.set("addresses.test", [address("addresses.test", "127.0.0.2")]);
    resolver = await startResolver(resolver.port);
    await until("the change", async () => (await names("/addresses", 4)).join() === "two", 8000);
  });
});

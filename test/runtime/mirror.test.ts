import { describe, expect, it } from "vitest";
import type { MirrorPlan } from "../../src/core/plan.ts";
import { RequestExchange } from "../../src/runtime/exchange.ts";
import { linkMirror } from "../../src/runtime/mirror.ts";
import type { LinkedUpstream, Outgoing } from "../../src/runtime/upstream.ts";
import { type FakePorts, fakePorts } from "../support/ports.ts";

interface Copy {
  readonly upstream: string;
  readonly exchange: RequestExchange;
  readonly outgoing: Outgoing;
}

interface Scene {
  readonly plans?: readonly MirrorPlan[];
  readonly outgoing?: Partial<Outgoing>;
  readonly method?: string;
  readonly send?: LinkedUpstream["send"];
  readonly lane?: string;
  readonly requests?: number;
}

const ALL: MirrorPlan = { upstream: "shadow", share: 1 };

const exchangeOf = (method: string, ports: FakePorts, deferred: Promise<unknown>[]): RequestExchange =>
  new RequestExchange(
    new Request("https://api.example.com/orders?a=1", { method }),
    { waitUntil: (work) => void deferred.push(work) },
    {
      gateway: {
        name: "shop",
        development: false,
        paths: { encodedSlash: "reject", matrixParameters: "reject" },
      },
      ports,
      platform: { isCloudflare: false },
    },
  );

/** Mirrors requests and waits for whatever was left to be done after the answer. */
const mirrored = async ({ plans = [ALL], method = "GET", requests = 1, ...scene }: Scene = {}) => {
  const ports = fakePorts();
  const copies: Copy[] = [];
  const answers: Response[] = [];
  const upstreamOf = (upstream: string): LinkedUpstream => ({
    name: upstream,
    timeoutMs: 700,
    send: (exchange, outgoing) => {
      copies.push({ upstream, exchange, outgoing });
      const answer = scene.send?.(exchange, outgoing) ?? new Response("copy");
      if (answer instanceof Response) answers.push(answer);
      return answer;
    },
  });
  const mirror = linkMirror(plans, upstreamOf, ports);
  const deferred: Promise<unknown>[] = [];
  const outgoing: Outgoing = {
    method,
    target: "/v1/orders?a=1",
    headers: new Headers({ accept: "text/plain", authorization: "Bearer x", cookie: "a=b" }),
    body: null,
    host: undefined,
    timeoutMs: 5000,
    upgrade: false,
    ...scene.outgoing,
  };
  const exchange = exchangeOf(method, ports, deferred);
  if (scene.lane !== undefined) exchange.chooseLane = () => scene.lane!;
  for (let request = 0; request < requests; request++) mirror(exchange, outgoing);
  const settled = await Promise.allSettled(deferred);
  return { copies, exchange, outgoing, settled, answers };
};

describe("what is copied", () => {
  it.each<[string, Scene, number]>([
    ["a GET", { method: "GET" }, 1],
    ["a HEAD", { method: "HEAD" }, 1],
    ["not a POST", { method: "POST" }, 0],
    ["not a DELETE, which has no body either", { method: "DELETE" }, 0],
    ["not an OPTIONS", { method: "OPTIONS" }, 0],
    ["not a method of somebody's own", { method: "FETCH" }, 0],
    ["not what has a body", { outgoing: { body: "x" } }, 0],
    ["not the opening of a WebSocket", { outgoing: { upgrade: true } }, 0],
    ["not what goes down the very lane", { lane: "shadow" }, 0],
    ["what goes down another lane", { lane: "orders" }, 1],
  ])("%s", async (_, scene, count) => {
    expect((await mirrored(scene)).copies).toHaveLength(count);
  });

  it("goes to every upstream that is named", async () => {
    const { copies } = await mirrored({ plans: [ALL, { upstream: "archive", share: 1 }] });
    expect(copies.map(({ upstream }) => upstream)).toEqual(["shadow", "archive"]);
  });

  it("comes to the share of each, by chance", async () => {
    const plans = [
      { upstream: "a", share: 0.2 },
      { upstream: "b", share: 0.5 },
      { upstream: "c", share: 1 },
    ];
    const { copies } = await mirrored({ plans, requests: 2000 });
    for (const { upstream, share } of plans) {
      const got = copies.filter((copy) => copy.upstream === upstream).length / 2000;
      expect(Math.abs(got - share)).toBeLessThan(0.04);
    }
  });
});

describe("a copy", () => {
  it("is the request as it goes to the upstream, within the time of its own", async () => {
    const { copies } = await mirrored();
    expect(copies[0]!.outgoing).toMatchObject({
      method: "GET",
      target: "/v1/orders?a=1",
      body: null,
      timeoutMs: 700,
    });
    expect(copies[0]!.outgoing.headers.get("accept")).toBe("text/plain");
  });

  it("goes to the host of its own upstream, whatever the route writes for the other", async () => {
    const { copies } = await mirrored({ outgoing: { host: "orders.internal" } });
    expect(copies[0]!.outgoing.host).toBeUndefined();
  });

  it("has no credentials, and the request keeps its own", async () => {
    const { copies, outgoing } = await mirrored();
    const { headers } = copies[0]!.outgoing;
    expect([headers.get("authorization"), headers.get("cookie")]).toEqual([null, null]);
    expect([outgoing.headers.get("authorization"), outgoing.headers.get("cookie")]).toEqual([
      "Bearer x",
      "a=b",
    ]);
  });

  it.each(["Proxy-Authorization", "X-Api-Key", "X-Auth-Token", "DPoP", "Signature", "Client-Cert"])(
    "has no %s",
    async (name) => {
      const { copies } = await mirrored({ outgoing: { headers: new Headers([[name, "x"]]) } });
      expect([...copies[0]!.outgoing.headers]).toEqual([]);
    },
  );

  it("has none of the fields where the route looks for credentials", async () => {
    const headers = new Headers({ "x-shop-key": "secret", "x-user-id": "42" });
    const plans = [{ ...ALL, without: ["x-shop-key"] }];
    const { copies } = await mirrored({ plans, outgoing: { headers } });
    expect([...copies[0]!.outgoing.headers]).toEqual([["x-user-id", "42"]]);
  });

  it("is sent on an exchange of its own, of which the client's learns nothing", async () => {
    const { copies, exchange, settled } = await mirrored({
      send: (it) => {
        it.problemCode = "upstream-timeout";
        it.target = "main";
        it.upstreamMs = 700;
        it.answerEdits.push({ op: "set", name: "x-copy", value: "1" });
        return new Response("failed", { status: 504 });
      },
    });
    expect(copies[0]!.exchange).not.toBe(exchange);
    expect(copies[0]!.exchange.path).toBe("/orders");
    const { problemCode, target, upstreamMs, answerEdits, upstreamResponse } = exchange;
    expect({ problemCode, target, upstreamMs, answerEdits, upstreamResponse }).toEqual({
      problemCode: undefined,
      target: undefined,
      upstreamMs: 0,
      answerEdits: [],
      upstreamResponse: undefined,
    });
    expect(settled).toEqual([{ status: "fulfilled", value: undefined }]);
  });

  it.each<[string, LinkedUpstream["send"]]>([
    ["rejects", () => Promise.reject(new Error("a bug"))],
    [
      "throws",
      () => {
        throw new Error("a bug");
      },
    ],
    [
      "has a body that cannot be canceled",
      () => new Response(new ReadableStream({ cancel: () => Promise.reject(new Error("broken")) })),
    ],
  ])("that %s is no failure", async (_, send) => {
    const { settled } = await mirrored({ send });
    expect(settled).toEqual([{ status: "fulfilled", value: undefined }]);
  });

  it("lets go of the body that nobody reads", async () => {
    let canceled = false;
    const body = new ReadableStream({ cancel: () => void (canceled = true) });
    await mirrored({ send: () => new Response(body) });
    expect(canceled).toBe(true);
  });
});

import { Hono } from "hono/tiny";
import { describe, expect, it } from "vitest";
import { isBearer } from "../../src/control/bearer.ts";
import { purgeRoute } from "../../src/control/purge.ts";
import type { Plan } from "../../src/core/plan.ts";
import {
  EVERYTHING,
  type PurgeScope,
  pathScope,
  prefixScope,
  queryScope,
  tagScope,
} from "../../src/core/purge.ts";
import { fakePorts } from "../support/ports.ts";
import { FakePurges } from "../support/purges.ts";

const HOST = "api.example.com";

interface Setting {
  readonly token?: string | undefined;
  readonly isTold?: boolean;
  readonly purges?: "isolate" | "redis";
  readonly field?: string;
}

/** Asks the route; answers its answer and what was purged. */
const ask = async (body: unknown, setting: Setting = {}) => {
  const { token = "secret", isTold = true, purges: known = "redis", field = "Bearer secret" } = setting;
  const purges = new FakePurges();
  purges.isTold = isTold;
  const { purged } = purges;
  const ports = fakePorts({ purges, secretValues: { PURGE: token } });
  const plan = { gateway: { control: { purgeToken: "PURGE" }, purges: known } } as unknown as Plan;
  const app = new Hono();
  purgeRoute(app, { plan, ports });
  const request = new Request(`https://${HOST}/__postern/purge`, {
    method: "POST",
    headers: { authorization: field },
    body: typeof body === "string" || body instanceof Uint8Array ? (body as BodyInit) : JSON.stringify(body),
  });
  const response = await app.fetch(request, {}, {
    waitUntil: () => {},
    passThroughOnException: () => {},
  } as never);
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json") === true;
  return {
    status: response.status,
    headers: response.headers,
    purged,
    answer: (isJson ? JSON.parse(text) : text) as Record<string, unknown>,
  };
};

const faultsOf = ({ answer }: { answer: Record<string, unknown> }) =>
  (answer["errors"] as { pointer: string; detail: string }[]).map(({ pointer }) => pointer);

describe("the purge route", () => {
  it.each<[string, unknown, readonly PurgeScope[]]>([
    ["tags", { tags: ["a", "b:1"] }, [tagScope("a"), tagScope("b:1")]],
    ["a tag twice", { tags: ["a", "a"] }, [tagScope("a")]],
    ["a tag as it is, and escaped", { tags: ["a,b ü", "a%2Cb%20%C3%BC"] }, [tagScope("a%2Cb%20%C3%BC")]],
    ["a URL", { urls: [`https://${HOST}/a`] }, [pathScope(HOST, "/a")]],
    ["a URL without a path", { urls: [`https://${HOST}`] }, [pathScope(HOST, "/")]],
    ["a URL with a query", { urls: [`https://${HOST}/a?c=2&b=1`] }, [queryScope(HOST, "/a", "b=1&c=2")]],
    [
      "a URL in capitals, with the port of its scheme",
      { urls: ["HTTP://API.example.com:80/A"] },
      [pathScope(HOST, "/A")],
    ],
    ["a URL with another port", { urls: ["https://[::1]:80/a"] }, [pathScope("[::1]:80", "/a")]],
    ["a URL that climbs", { urls: [`https://${HOST}/a/../../b/./c//d`] }, [pathScope(HOST, "/b/c/d")]],
    ["a prefix", { prefixes: [`https://${HOST}/a/`] }, [prefixScope(HOST, "/a")]],
    ["a prefix of a whole host", { prefixes: [`https://${HOST}/`] }, [prefixScope(HOST, "")]],
    ["everything", { everything: true, tags: [] }, [EVERYTHING]],
  ])("purges %s", async (_, body, expected) => {
    const { status, purged, answer, headers } = await ask(body);
    expect([status, purged]).toEqual([200, expected]);
    expect(answer).toEqual({ purged: expected.length, everywhere: true, within: "5s" });
    expect(headers.get("cache-control")).toBe("no-store");
  });

  it("says where a purge stays in one isolate", async () => {
    expect((await ask({ tags: ["a"] }, { purges: "isolate" })).answer).toEqual({
      purged: 1,
      everywhere: false,
    });
  });

  it("says where the others could not be told, and that it holds all the same", async () => {
    const { status, answer, purged, headers } = await ask({ tags: ["a"] }, { isTold: false });
    expect([status, answer["code"], purged.length]).toEqual([503, "purge-not-told", 1]);
    expect(answer["detail"]).toContain("holds in the isolate that answered");
    expect([headers.get("cache-control"), headers.get("retry-after")]).toEqual(["no-store", "2"]);
  });

  it.each<[string, unknown, readonly string[]]>([
    ["no JSON", "tags=a", ["#"]],
    ["no text", new Uint8Array([0x22, 0xff, 0x22]), ["#"]],
    ["nothing", "", ["#"]],
    ["no object", [], ["#"]],
    ["nothing to purge", {}, ["#"]],
    ["nothing to purge, in words", { tags: [], everything: false }, ["#"]],
    ["an unknown member", { tags: ["a"], tag: ["b"] }, ["#/tag"]],
    ["an unknown member with odd characters", { "a/b~": 1 }, ["#/a~1b~0"]],
    [
      "a member that every object has",
      '{"constructor":["a"],"__proto__":["b"]}',
      ["#/constructor", "#/__proto__"],
    ],
    ["a text for a list", { tags: "a" }, ["#/tags"]],
    ["everything as a text", { everything: "true" }, ["#/everything"]],
    ["no texts", { tags: [1, null, ["a"]] }, ["#/tags/0", "#/tags/1", "#/tags/2"]],
    ["no tag", { tags: ["", "x".repeat(257), "\ud800"] }, ["#/tags/0", "#/tags/1", "#/tags/2"]],
    [
      "no URL",
      {
        urls: ["/a", "a", `//${HOST}/a`, "ftp://a/b", `https://${HOST}/a#b`, "https://a b/", "https://a@b/"],
      },
      [0, 1, 2, 3, 4, 5, 6].map((index) => `#/urls/${index}`),
    ],
    [
      "no path",
      { urls: [`https://${HOST}/%zz`], prefixes: [`https://${HOST}/a b`] },
      ["#/urls/0", "#/prefixes/0"],
    ],
    [
      "no prefix",
      { prefixes: [`https://${HOST}/a?b`, `https://${HOST}${"/a".repeat(17)}`] },
      ["#/prefixes/0", "#/prefixes/1"],
    ],
    ["too much", { tags: Array(1001).fill("a") }, ["#"]],
    ["too much together", { tags: Array(600).fill("a"), urls: Array(401).fill("b") }, ["#"]],
  ])("purges nothing by %s, and says what is wrong", async (_, body, expected) => {
    const told = await ask(body);
    expect([told.status, told.answer["code"], told.purged]).toEqual([400, "malformed-purge", []]);
    expect(faultsOf(told)).toEqual(expected);
    expect(told.headers.get("content-type")).toBe("application/problem+json");
  });

  it("tells twenty faults at most, and takes a thousand scopes", async () => {
    expect(faultsOf(await ask({ tags: Array(500).fill(1) }))).toHaveLength(20);
    expect(
      (await ask({ tags: Array.from({ length: 1000 }, (_, index) => `${index}`) })).answer["purged"],
    ).toBe(1000);
  });

  it("reads 64 KiB and no more", async () => {
    const body = (length: number) => `{"tags":["a"]${" ".repeat(length - 14)}}`;
    expect((await ask(body(65_536))).status).toBe(200);
    const { status, answer, purged } = await ask(body(65_537));
    expect([status, answer["code"], purged]).toEqual([413, "body-too-large", []]);
  });

  it.each<[string, Setting]>([
    ["without a token", { field: "" }],
    ["with another", { field: "Bearer secreT" }],
    ["with the scheme in another case", { field: "bearer secret" }],
    ["with an empty one, where the secret is empty", { token: "", field: "Bearer " }],
  ])("is not there for who comes %s", async (_, setting) => {
    const { status, purged } = await ask({ everything: true }, setting);
    expect([status, purged]).toEqual([404, []]);
  });
});

it("an empty secret opens nothing, whatever comes", async () => {
  expect(await Promise.all([undefined, "", "Bearer", "Bearer "].map((field) => isBearer(field, "")))).toEqual(
    [false, false, false, false],
  );
  expect(await isBearer("Bearer a", "a")).toBe(true);
});

import { describe, expect, it } from "vitest";
import type { AssetPlan } from "../../src/core/asset-plan.ts";
import { applyHeaderEdits } from "../../src/core/header-edits.ts";
import { linkAssets } from "../../src/runtime/assets.ts";
import { fakeExchange, fakePorts } from "../support/ports.ts";

const PLAN: AssetPlan = {
  kind: "asset",
  content: "page",
  cacheControl: "no-cache",
  edits: [{ op: "set", name: "content-security-policy", value: "default-src 'none'" }],
  files: {
    "/docs": { type: "text/html; charset=utf-8", plain: { name: "page.html.0f.asset", etag: '"0f"' } },
    "/docs/big.js": {
      type: "text/javascript",
      plain: { name: "big.js.1f.asset", etag: '"1f"' },
      gzip: { name: "big.js.1f.gz.asset", etag: '"1f.gz"' },
    },
  },
};

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly network?: (url: string) => Response | Promise<Response>;
}

/** The answer, as the client gets it, and what was fetched for it. */
const ask = async (path: string, { method = "GET", headers = {}, network }: Asked = {}) => {
  const fetched: string[] = [];
  const ports = fakePorts({
    network: (url) => {
      fetched.push(url);
      return network === undefined
        ? new Response(`bytes of ${url.slice(url.lastIndexOf("/") + 1)}`)
        : network(url);
    },
  });
  const exchange = fakeExchange(new Request(`https://api.example.com${path}`, { method, headers }));
  // Whoever stands around it has had its say before.
  exchange.answerEdits.push({ op: "set", name: "content-security-policy", value: "policy of the gateway" });
  const response = await linkAssets(PLAN, ports)(exchange);
  const edited = new Response(response.body, response);
  applyHeaderEdits(edited.headers, exchange.answerEdits);
  return { response: edited, fetched, code: exchange.problemCode };
};

describe("a file", () => {
  it("comes with its type, its tag, how long it is good, and the edits of its route last", async () => {
    const { response } = await ask("/docs");
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("bytes of page.html.0f.asset");
    expect(Object.fromEntries(response.headers)).toEqual({
      "cache-control": "no-cache",
      "content-security-policy": "default-src 'none'",
      "content-type": "text/html; charset=utf-8",
      etag: '"0f"',
    });
  });

  it.each([
    ["without a word of it", undefined, "big.js.1f.asset", '"1f"'],
    ["by name", "gzip", "big.js.1f.gz.asset", '"1f.gz"'],
    ["among others", "br;q=1.0, GZip;q=0.8, *;q=0.1", "big.js.1f.gz.asset", '"1f.gz"'],
    ["by its old name", "x-gzip", "big.js.1f.gz.asset", '"1f.gz"'],
    ["by the star", "*", "big.js.1f.gz.asset", '"1f.gz"'],
    ["but refused", "gzip;q=0, *", "big.js.1f.asset", '"1f"'],
    ["with the star refused", "*;q=0", "big.js.1f.asset", '"1f"'],
    ["with another only", "br", "big.js.1f.asset", '"1f"'],
  ])("is compressed where that is acceptable: %s", async (_, accept, name, etag) => {
    const { response, fetched } = await ask("/docs/big.js", {
      headers: accept === undefined ? {} : { "accept-encoding": accept },
    });
    expect(fetched.map((url) => new URL(url).pathname)).toEqual([`/${name}`]);
    expect(response.headers.get("etag")).toBe(etag);
    expect(response.headers.get("vary")).toBe("accept-encoding");
    expect(response.headers.get("content-encoding")).toBe(name.includes(".gz") ? "gzip" : null);
  });

  it.each([
    ["its tag", '"0f"', 304],
    ["its tag, weak", 'W/"0f"', 304],
    ["its tag among others", '"a", "0f"', 304],
    ["anything", "*", 304],
    ["another tag", '"00"', 200],
    ["the tag of another form", '"0f.gz"', 200],
  ])("is not sent again to who has it: %s", async (_, field, status) => {
    const { response, fetched } = await ask("/docs", { headers: { "if-none-match": field } });
    expect(response.status).toBe(status);
    expect(response.headers.get("etag")).toBe('"0f"');
    expect(response.headers.get("cache-control")).toBe("no-cache");
    expect(response.headers.get("content-security-policy")).toBe("default-src 'none'");
    expect(fetched).toHaveLength(status === 304 ? 0 : 1);
    if (status === 304) expect(response.body).toBeNull();
  });

  it("is only described to HEAD", async () => {
    const { response, fetched } = await ask("/docs", { method: "HEAD" });
    expect([response.status, response.body, fetched]).toEqual([200, null, []]);
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
  });
});

describe("what is not there", () => {
  it.each(["/docs/other.js", "/docs/__proto__", "/docs/page.html.0f.asset"])(
    "is 404, and never looked for: %s",
    async (path) => {
      const { response, fetched, code } = await ask(path);
      expect([response.status, code, fetched]).toEqual([404, "no-such-file", []]);
      expect(response.headers.get("content-security-policy")).toBe("policy of the gateway");
    },
  );

  it.each([
    ["is not among the files", () => new Response("no", { status: 404 })],
    ["is a redirect there", () => new Response(null, { status: 307, headers: { location: "/" } })],
    [
      "cannot be fetched",
      () => {
        throw new TypeError("away");
      },
    ],
  ])("is 503 where a file %s", async (_, network) => {
    const { response, code } = await ask("/docs", { network });
    expect([response.status, code]).toEqual([503, "assets-missing"]);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("etag")).toBeNull();
  });

  it("is 503 where nothing is bound", async () => {
    const ports = fakePorts({ fetch: { open: () => undefined } });
    const exchange = fakeExchange(new Request("https://api.example.com/docs"));
    const response = await linkAssets(PLAN, ports)(exchange);
    expect([response.status, exchange.problemCode]).toEqual([503, "assets-missing"]);
  });
});

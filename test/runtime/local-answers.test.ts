import { describe, expect, it } from "vitest";
import type { RedirectPlan } from "../../src/core/plan.ts";
import { linkRedirect, linkRespond } from "../../src/runtime/local-answers.ts";
import { fakeExchange } from "../support/ports.ts";

const PATHS = { encodedSlash: "reject", matrixParameters: "reject" } as const;
const redirect = async (
  plan: Omit<RedirectPlan, "kind">,
  url: string,
  params: Record<string, string> = {},
  method = "GET",
) => {
  const exchange = fakeExchange(new Request(url, { method }), { params });
  const answer = await linkRedirect({ kind: "redirect", ...plan }, PATHS)(exchange);
  return [answer.status, answer.headers.get("location") ?? exchange.problemCode];
};

describe("a redirect", () => {
  it.each([
    [
      "to another scheme forgets the port",
      { status: 301, scheme: "https" },
      "http://a.example:8080/x?q=1",
      {},
      [301, "https://a.example/x?q=1"],
    ],
    [
      "to another host keeps the port",
      { status: 302, host: "b.example" },
      "http://a.example:8080/x",
      {},
      [302, "http://b.example:8080/x"],
    ],
    [
      "to another port",
      { status: 302, port: 9090 },
      "http://a.example/x",
      {},
      [302, "http://a.example:9090/x"],
    ],
    [
      "does not write a scheme's own port",
      { status: 302, port: 443, scheme: "https" },
      "http://a.example/x",
      {},
      [302, "https://a.example/x"],
    ],
    [
      "to a path of parameters",
      { status: 308, path: ["/v2/", { from: "params", name: "id" }] },
      "https://a.example/x",
      { id: "1/2" },
      [400, "path-refused"],
    ],
    [
      "fills in parameters",
      { status: 308, path: ["/v2/", { from: "params", name: "id" }] },
      "https://a.example/x",
      { id: "a b" },
      [308, "https://a.example/v2/a%20b"],
    ],
    [
      "to another prefix",
      { status: 302, strip: 4, prefix: "/new" },
      "https://a.example/old/x",
      {},
      [302, "https://a.example/new/x"],
    ],
    [
      "takes a prefix off",
      { status: 302, strip: 4, prefix: "" },
      "https://a.example/old",
      {},
      [302, "https://a.example/"],
    ],
    [
      "to where the request is already is none",
      { status: 301, scheme: "https" },
      "https://a.example/x",
      {},
      [508, "redirect-loop"],
    ],
    [
      "to where the request is already, where that is all it says",
      { status: 307 },
      "https://a.example/x",
      {},
      [307, "https://a.example/x"],
    ],
  ] as const)("%s", async (_, plan, url, params, expected) => {
    expect(await redirect(plan as Omit<RedirectPlan, "kind">, url, params)).toEqual(expected);
  });
});

describe("a 303 to where the request is already", () => {
  it.each([
    ["POST", [303, "https://a.example/x"]],
    ["GET", [508, "redirect-loop"]],
  ])("after a %s", async (method, expected) => {
    expect(await redirect({ status: 303, path: ["/x"] }, "https://a.example/x", {}, method)).toEqual(
      expected,
    );
  });
});

describe("a fixed answer", () => {
  it.each([
    ["has its body", "GET", { status: 200, body: "hi" }, [200, "hi"]],
    ["has no body for HEAD", "HEAD", { status: 200, body: "hi" }, [200, ""]],
    ["has no body where the status allows none", "GET", { status: 204, body: null }, [204, ""]],
  ])("%s", async (_, method, plan, expected) => {
    const answer = await linkRespond({ kind: "respond", headers: {}, ...plan })(
      fakeExchange(new Request("https://a.example/", { method })),
    );
    expect([answer.status, await answer.text()]).toEqual(expected);
  });
});

import { describe, expect, it } from "vitest";
import { removalOf, type TokenSource, takeOff, tokenReader } from "../../src/core/token-source.ts";
import { upstreamHeaders } from "../policies/compiling.ts";
import { fakeExchange } from "../support/ports.ts";

const read = (source: TokenSource, headers: Record<string, string>, url = "https://api.example.com/") =>
  tokenReader(source)(fakeExchange(new Request(url, { headers })));

describe("behind a scheme of its own", () => {
  it.each<[string, string, string | undefined]>([
    ["the scheme", "ApiKey abc", "abc"],
    ["in another case", "aPIkEY abc", "abc"],
    ["another scheme", "Bearer abc", undefined],
    ["a scheme that ends so", "MyApiKey abc", undefined],
    ["two blanks stay", "ApiKey  abc", " abc"],
    ["a tab", "ApiKey\tabc", ""],
    ["nothing behind it", "ApiKey", ""],
    ["a second field", "Bearer abc, ApiKey def", ""],
  ])("%s", (_, authorization, wanted) =>
    expect(read({ in: "scheme", name: "ApiKey" }, { authorization })).toBe(wanted),
  );

  it("takes its name to the letter", () => {
    expect(read({ in: "scheme", name: "a.c" }, { authorization: "abc d" })).toBeUndefined();
  });

  it("is taken off", () =>
    expect(removalOf({ in: "scheme", name: "ApiKey" })).toEqual([{ op: "remove", name: "authorization" }]));
});

it("two policies each take their own cookie off", () => {
  const exchange = fakeExchange(
    new Request("https://api.example.com/", { headers: { cookie: "session=1; kept=2; key=3" } }),
  );
  takeOff({ in: "cookie", name: "session" }, exchange);
  takeOff({ in: "cookie", name: "key" }, exchange);
  expect(upstreamHeaders(exchange).get("cookie")).toBe("kept=2");
  takeOff({ in: "cookie", name: "kept" }, exchange);
  expect(upstreamHeaders(exchange).has("cookie")).toBe(false);
  takeOff({ in: "cookie", name: "kept" }, exchange);
  expect(upstreamHeaders(exchange).has("cookie")).toBe(false);
});

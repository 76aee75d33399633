import { beforeAll, describe, expect, it } from "vitest";
import type { Step } from "../../src/policies/jwt/filter.ts";
import { fakeExchange } from "../support/ports.ts";
import {
  codeOf,
  goodClaims,
  issuerWith,
  judge,
  linkJwt,
  makeKey,
  request,
  type SigningKey,
  sign,
} from "./jwt-support.ts";

let es: SigningKey;
beforeAll(async () => {
  es = await makeKey("ES256");
});

describe("S13: one Bearer token, one space", () => {
  it.each<[string, (token: string) => string, string]>([
    ["Bearer", (token) => `Bearer ${token}`, "passed"],
    ["the scheme in another case", (token) => `bEARER ${token}`, "passed"],
    ["Basic", (token) => `Basic ${token}`, "absent"],
    ["another scheme", (token) => `DPoP ${token}`, "absent"],
    ["no scheme", (token) => token, "absent"],
    ["no space", (token) => `Bearer${token}`, "token-malformed"],
    ["a tab", (token) => `Bearer\t${token}`, "token-malformed"],
    ["two spaces", (token) => `Bearer  ${token}`, "token-malformed"],
    ["no token", () => "Bearer", "token-malformed"],
    ["the scheme twice", (token) => `Bearer Bearer ${token}`, "token-malformed"],
    ["two tokens", (token) => `Bearer ${token}, Bearer ${token}`, "token-malformed"],
    ["two fields, the first Basic", (token) => `Basic eDp5, Bearer ${token}`, "token-malformed"],
    ["a token and a parameter", (token) => `Bearer ${token}, a=b`, "token-malformed"],
    ["quotes", (token) => `Bearer "${token}"`, "token-malformed"],
    ["padding", (token) => `Bearer ${token}==`, "token-malformed"],
    ["a part more", (token) => `Bearer ${token}.AA`, "token-malformed"],
    ["a part less", (token) => `Bearer ${token.slice(0, token.lastIndexOf("."))}`, "token-malformed"],
    ["a token over 8 KiB", (token) => `Bearer ${token}${"A".repeat(8192)}`, "token-malformed"],
  ])("%s", async (_, field, wanted) => {
    const exchange = fakeExchange(request({ authorization: field(await sign(es)) }));
    expect(codeOf(await linkJwt([issuerWith([es])]).authenticate(exchange))).toBe(wanted);
  });

  it("refuses the same bytes in another spelling", async () => {
    const token = await sign(es, { ...goodClaims, pad: "x" });
    const last = token.charCodeAt(token.length - 1);
    const other = token.slice(0, -1) + String.fromCharCode(last + 1);
    expect(codeOf(await judge(linkJwt([issuerWith([es])]), other))).not.toBe("passed");
  });

  it.each<[string, Step["from"], (token: string) => Request, string]>([
    ["a header", { in: "header", name: "x-token" }, (token) => request({ "x-token": token }), "passed"],
    [
      "a header twice",
      { in: "header", name: "x-token" },
      (token) => request({ "x-token": `${token}, ${token}` }),
      "token-malformed",
    ],
    [
      "a cookie",
      { in: "cookie", name: "sid" },
      (token) => request({ cookie: `a=b; sid=${token}; c=d` }),
      "passed",
    ],
    [
      "a cookie twice",
      { in: "cookie", name: "sid" },
      (token) => request({ cookie: `sid=${token}; sid=${token}` }),
      "token-malformed",
    ],
    [
      "no cookie of the name",
      { in: "cookie", name: "sid" },
      (token) => request({ cookie: `xsid=${token}` }),
      "absent",
    ],
    [
      "the query",
      { in: "query", name: "token" },
      (token) => request({}, `https://a.example/?a=1&token=${token}`),
      "passed",
    ],
    [
      "the query twice",
      { in: "query", name: "token" },
      (token) => request({}, `https://a.example/?token=${token}&token=${token}`),
      "token-malformed",
    ],
    [
      "the query, where it is not asked for",
      { in: "bearer", name: "authorization" },
      (token) => request({}, `https://a.example/?access_token=${token}`),
      "absent",
    ],
    [
      "Authorization, where a cookie is asked for",
      { in: "cookie", name: "sid" },
      (token) => request({ authorization: `Bearer ${token}` }),
      "absent",
    ],
  ])("reads %s", async (_, from, make, wanted) => {
    const policy = linkJwt([issuerWith([es])], { from });
    expect(codeOf(await policy.authenticate(fakeExchange(make(await sign(es)))))).toBe(wanted);
  });
});

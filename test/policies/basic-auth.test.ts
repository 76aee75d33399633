import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { splitCredentials } from "../../src/policies/basic-auth/credentials.ts";
import { authenticator, type Step } from "../../src/policies/basic-auth/filter.ts";
import { fakePorts } from "../support/ports.ts";
import { consumerSite, judge, keyOf } from "./consumer-support.ts";

const link = (over: Partial<Step> = {}) =>
  authenticator(
    { allowed: null, forward: {}, forwardCredential: false, ...over },
    fakePorts(),
    consumerSite(),
  );

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const basic = (user: string, password: string): string => `Basic ${base64(`${user}:${password}`)}`;

describe("basicAuth", () => {
  it.each<[string, string | undefined, object]>([
    ["nothing", undefined, { outcome: "absent" }],
    ["another scheme", "Bearer abc", { outcome: "absent" }],
    ["a consumer and its key", basic("acme", keyOf(1)), { outcome: "passed" }],
    ["the scheme in another case", basic("acme", keyOf(1)).replace("Basic", "bASIC"), { outcome: "passed" }],
    ["its other key", basic("acme", keyOf(2)), { outcome: "passed" }],
    ["a key that is over", basic("acme", keyOf(3)), { status: 401, code: "key-expired" }],
    ["the key of another", basic("small", keyOf(1)), { status: 401, code: "key-unknown" }],
    ["a user who is none", basic("nobody", keyOf(1)), { status: 401, code: "key-unknown" }],
    ["a user in capitals", basic("ACME", keyOf(1)), { status: 401, code: "key-unknown" }],
    ["no user", basic("", keyOf(1)), { status: 401, code: "key-unknown" }],
    ["a password of nobody", basic("acme", keyOf(9)), { status: 401, code: "key-unknown" }],
    ["no password", basic("acme", ""), { status: 401, code: "key-malformed" }],
    ["no colon", `Basic ${base64("acme")}`, { status: 401, code: "key-malformed" }],
    ["no credential", "Basic", { status: 401, code: "key-malformed" }],
    ["two", `${basic("acme", keyOf(1))}, ${basic("acme", keyOf(1))}`, { status: 401, code: "key-malformed" }],
    ["two blanks", basic("acme", keyOf(1)).replace(" ", "  "), { status: 401, code: "key-malformed" }],
  ])("%s", async (_, authorization, wanted) => {
    const verdict = await judge(link(), authorization === undefined ? {} : { authorization });
    expect(verdict).toMatchObject(wanted);
    if (verdict.outcome === "refused") expect(verdict.challenge).toBe('Basic realm="shop", charset="UTF-8"');
  });

  it("says who calls, and takes the credential off", async () => {
    expect(await judge(link(), { authorization: basic("acme", keyOf(1)) })).toMatchObject({
      identity: { kind: "basicAuth", id: "acme", consumer: { name: "acme", plan: "gold" } },
    });
    expect(link().always).toEqual([{ op: "remove", name: "authorization" }]);
    expect(link({ forwardCredential: true }).always).toEqual([]);
  });

  it("refuses who may not with 403, as a key that was seen before does", async () => {
    const policy = link({ allowed: ["small"] });
    for (let times = 0; times < 2; times++)
      expect(await judge(policy, { authorization: basic("acme", keyOf(1)) })).toMatchObject({
        status: 403,
        code: "consumer-not-allowed",
      });
  });

  it("does not let a key that was seen pass for another user", async () => {
    const policy = link();
    expect((await judge(policy, { authorization: basic("acme", keyOf(1)) })).outcome).toBe("passed");
    expect(await judge(policy, { authorization: basic("small", keyOf(1)) })).toMatchObject({
      code: "key-unknown",
    });
  });
});

describe("a credential", () => {
  it.each<[string, string, object | undefined]>([
    ["the example of RFC 7617", "QWxhZGRpbjpvcGVuIHNlc2FtZQ==", { user: "Aladdin", password: "open sesame" }],
    ["that of its section 2.1, UTF-8", "dGVzdDoxMjPCow==", { user: "test", password: "123£" }],
    ["colons in the password", base64("a:b:c:"), { user: "a", password: "b:c:" }],
    ["no user", base64(":b"), { user: "", password: "b" }],
    ["neither", base64(":"), { user: "", password: "" }],
    ["a mark of byte order, which is a character", base64("\ufeffa:b"), { user: "\ufeffa", password: "b" }],
    ["no colon", base64("ab"), undefined],
    ["a control character", base64("a:b\u0000"), undefined],
    ["a line break", base64("a\n:b"), undefined],
    ["no UTF-8", Buffer.from([0x61, 0x3a, 0xff]).toString("base64"), undefined],
    ["no padding", base64("a:bc").replaceAll("=", ""), undefined],
    ["padding within", "YTpi=YTpi", undefined],
    ["bits behind the last byte", "YTpiYz==".replace("z", "x"), undefined],
    ["the alphabet for URLs", Buffer.from("a:\u00ff\u00ff?>").toString("base64url"), undefined],
    ["a blank", `${base64("a:b")} `, undefined],
    ["too much", base64(`a:${"b".repeat(600)}`), undefined],
  ])("%s", (_, token, wanted) => expect(splitCredentials(token)).toEqual(wanted));

  it("of any user without a colon and any password comes out as it went in", () => {
    const text = fc
      .string({ unit: "grapheme", maxLength: 40 })
      .filter((it) => !/\p{Cc}/u.test(it) && it.isWellFormed());
    fc.assert(
      fc.property(
        text.filter((it) => !it.includes(":")),
        text,
        (user, password) => {
          const token = base64(`${user}:${password}`);
          fc.pre(token.length <= 512);
          expect(splitCredentials(token)).toEqual({ user, password });
        },
      ),
    );
  });
});

it("does as much for a user who is none, and for a password of nobody, as for those who are known (S18)", async () => {
  const digests = vi.spyOn(crypto.subtle, "digest");
  const credentials = [
    basic("nobody", keyOf(9)),
    basic("acme", keyOf(9)),
    basic("nobody", keyOf(1)),
    basic("acme", keyOf(3)),
    basic("acme", keyOf(1)),
  ];
  const made: number[] = [];
  for (const authorization of credentials) {
    digests.mockClear();
    await judge(link(), { authorization });
    made.push(digests.mock.calls.length);
  }
  expect(made).toEqual([1, 1, 1, 1, 1]);
});

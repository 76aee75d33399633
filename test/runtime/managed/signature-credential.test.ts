import {
  createHash,
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  timingSafeEqual,
  verify,
} from "node:crypto";
import { httpbis } from "http-message-signatures";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { SignatureCredentialPlan } from "../../../src/core/upstream-plan.ts";
import { linkSignatureCredential } from "../../../src/runtime/managed/signature-credential.ts";
import { linkedCredential, type Try } from "./credential-support.ts";

const PLAN: SignatureCredentialPlan = {
  kind: "signature",
  secret: "ORDERS_KEY",
  algorithm: "hmac-sha256",
  keyId: "shop",
  headers: ["x-user-id"],
  lifetimeSeconds: 30,
};
const SECRET = "0123456789abcdef0123456789abcdef";

const linked = (plan: Partial<SignatureCredentialPlan> = {}, secret: string | undefined = SECRET) =>
  linkedCredential(linkSignatureCredential, { ...PLAN, ...plan }, secret);

const POST: Required<Pick<Try, "method" | "url" | "headers">> = {
  method: "POST",
  url: "http://orders/orders?dry=1",
  headers: { "content-type": "application/json", "x-user-id": "42", "x-other": "1" },
};

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2026-01-01T00:00:00Z") }));
afterEach(() => void vi.useRealTimers());

type Check = (data: Buffer, signature: Buffer) => boolean;

const byHmac: Check = (data, signature) =>
  timingSafeEqual(createHmac("sha256", SECRET).update(data).digest(), signature);

/** What a verifier that others wrote says of a request: true, false, or the words of its complaint. */
const judged = async (headers: Headers, { method, url } = POST, check: Check = byHmac): Promise<unknown> =>
  httpbis
    .verifyMessage(
      {
        keyLookup: async ({ keyid }) =>
          keyid === "shop" ? { id: "shop", verify: async (data, signature) => check(data, signature) } : null,
        requiredParams: ["created", "expires", "nonce", "keyid", "alg", "tag"],
        requiredFields: ["@method", "@authority", "@path", "@query", "content-type", "x-user-id"],
      },
      { method, url, headers: Object.fromEntries(headers) },
    )
    .catch((error: Error) => error.message);

describe("a signed request", () => {
  it("says what its signature covers, when it was made, and for how long it is good", async () => {
    const headers = await linked().put(POST);
    expect(headers.get("signature-input")).toBe(
      'postern=("@method" "@authority" "@path" "@query" "content-type" "x-user-id")' +
        ';created=1767225600;expires=1767225630;nonce="00000000-0000-4000-8000-000000000001"' +
        ';keyid="shop";alg="hmac-sha256";tag="postern"',
    );
    expect(headers.get("signature")).toMatch(/^postern=:[A-Za-z0-9+/]{43}=:$/);
  });

  it("has no two signatures alike", async () => {
    const credential = linked();
    const [one, other] = [await credential.put(POST), await credential.put(POST)];
    expect(one.get("signature")).not.toBe(other.get("signature"));
  });

  it("is good to a verifier that others wrote", async () => {
    expect(await judged(await linked().put(POST))).toBe(true);
  });

  it.each([
    ["method", { ...POST, method: "PUT" }, {}],
    ["host", { ...POST, url: "http://users/orders?dry=1" }, {}],
    ["path", { ...POST, url: "http://orders/orders/7?dry=1" }, {}],
    ["query", { ...POST, url: "http://orders/orders?dry=0" }, {}],
    ["type of the body", POST, { "content-type": "text/plain" }],
    ["field that it covers", POST, { "x-user-id": "1" }],
  ])("is no longer good with another %s", async (_, message, altered) => {
    const headers = await linked().put(POST);
    for (const [name, value] of Object.entries(altered)) headers.set(name, value!);
    expect(await judged(headers, message)).toBe(false);
  });

  it("is good for thirty seconds", async () => {
    const headers = await linked().put(POST);
    vi.setSystemTime(Date.parse("2026-01-01T00:00:30Z"));
    expect(await judged(headers)).toBe(true);
    vi.setSystemTime(Date.parse("2026-01-01T00:00:31Z"));
    expect(await judged(headers)).toBe("Signature has expired");
  });

  it.each([
    [
      "ed25519",
      () => generateKeyPairSync("ed25519"),
      (key: KeyObject): Check =>
        (data, it) =>
          verify(null, data, key, it),
    ],
    [
      "ecdsa-p256-sha256",
      () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
      (key: KeyObject): Check =>
        (data, it) =>
          verify("sha256", data, { key, dsaEncoding: "ieee-p1363" }, it),
    ],
  ] as const)("is signed by %s with a private JWK", async (algorithm, generate, checkWith) => {
    const { privateKey } = generate();
    const secret = JSON.stringify(privateKey.export({ format: "jwk" }));
    const check = checkWith(createPublicKey(privateKey));
    const headers = await linked({ algorithm }, secret).put(POST);
    expect(headers.get("signature-input")).toContain(`;alg="${algorithm}"`);
    expect(await judged(headers, POST, check)).toBe(true);
    headers.set("x-user-id", "1");
    expect(await judged(headers, POST, check)).toBe(false);
  });

  it("names no key where that has no name", async () => {
    const { keyId: _, ...plan } = PLAN;
    const { put } = linkedCredential(linkSignatureCredential, plan, SECRET);
    expect((await put(POST)).get("signature-input")).not.toContain("keyid");
  });

  it("carries no signature of the client's", async () => {
    const theirs = { signature: "sig1=:AAAA:", "Signature-Input": 'sig1=("@method");created=1' };
    const headers = await linked().put({ ...POST, headers: { ...POST.headers, ...theirs } });
    expect(headers.get("signature")).toMatch(/^postern=:[^,]+:$/);
    expect(headers.get("signature-input")).not.toContain("sig1");
    expect(await judged(headers)).toBe(true);
  });
});

describe("what is covered", () => {
  const coveredIn = (headers: Headers): string =>
    /^postern=\(([^)]*)\)/.exec(headers.get("signature-input")!)![1]!.replaceAll('"', "");
  const ALWAYS = "@method @authority @path @query";

  it.each([
    ["a field that is not sent is not", {}, ""],
    ["one that is empty is", { "x-user-id": "" }, " x-user-id"],
    ["one that was sent twice is", { "x-user-id": "42, 43" }, " x-user-id"],
    [
      "one that holds more than ASCII is not, for no two programs read it alike",
      { "x-user-id": "Zo\u00eb" },
      "",
    ],
    ["one that nobody asked for is not", { "x-other": "1" }, ""],
  ])("%s", async (_, headers, expected) => {
    expect(coveredIn(await linked().put({ headers: headers as Record<string, string> }))).toBe(
      ALWAYS + expected,
    );
  });

  it("a body that is known is, by its digest", async () => {
    const body = new TextEncoder().encode('{"hello": "world"}');
    const headers = await linked().put({ ...POST, body });
    expect(headers.get("content-digest")).toBe(
      `sha-256=:${createHash("sha256").update(body).digest("base64")}:`,
    );
    // RFC 9530 appendix D has this digest of these bytes.
    expect(headers.get("content-digest")).toBe("sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:");
    expect(coveredIn(headers)).toBe(`${ALWAYS} content-type content-digest x-user-id`);
    expect(await judged(headers)).toBe(true);
    headers.set("content-digest", "sha-256=:AAAA:");
    expect(await judged(headers)).toBe(false);
  });

  it("one that is a stream is not, unless the client sent its digest", async () => {
    const body = new Blob(["x"]).stream();
    expect(coveredIn(await linked().put({ ...POST, body }))).not.toContain("content-digest");
    const sent = { ...POST.headers, "content-digest": "sha-256=:AAAA:" };
    const headers = await linked().put({ ...POST, headers: sent, body });
    expect(coveredIn(headers)).toContain("content-digest");
    expect(headers.get("content-digest")).toBe("sha-256=:AAAA:");
  });

  it("the digest that a client sent stays, so that the service can see what it got", async () => {
    const sent = { ...POST.headers, "content-digest": "sha-256=:AAAA:" };
    const headers = await linked().put({ ...POST, headers: sent, body: new Uint8Array(3) });
    expect(headers.get("content-digest")).toBe("sha-256=:AAAA:");
  });

  it("a field that is asked for twice is covered once", async () => {
    const headers = await linked({ headers: ["content-type", "x-user-id"] }).put(POST);
    expect(coveredIn(headers)).toBe(`${ALWAYS} content-type x-user-id`);
    expect(await judged(headers)).toBe(true);
  });
});

describe("a key", () => {
  it.each([
    ["that is not set", "hmac-sha256", undefined, "is not set"],
    ["of 31 bytes", "hmac-sha256", SECRET.slice(1), "has 31 bytes, and needs at least 32 to sign by HMAC"],
    ["that is no JWK", "ed25519", SECRET, "is no private key for ed25519"],
    ["that is no JWK", "ecdsa-p256-sha256", "{}", "is no private key for ecdsa-p256-sha256"],
  ] as const)("%s is refused when it is linked", (_, algorithm, secret, why) => {
    const link = (): unknown => linkedCredential(linkSignatureCredential, { ...PLAN, algorithm }, secret);
    expect(link).toThrow(`The secret ORDERS_KEY, the credential of the upstream "orders", ${why}`);
  });
});

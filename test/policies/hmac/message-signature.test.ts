import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import type { Step } from "../../../src/policies/hmac/filter.ts";
import { upstreamHeaders } from "../compiling.ts";
import {
  codeOf,
  digestField,
  FIELDS,
  judge,
  linkHmac,
  NEW,
  NOW,
  OLD,
  posted,
  type Signing,
  signed,
} from "./support.ts";

const keys: Step["keys"] = [
  { id: "new", caller: { name: "new" }, secret: "NEW" },
  { id: "old", caller: { name: "old" }, secret: "OLD" },
];
const link = (over: Partial<Step> = {}, values?: Record<string, string>) =>
  linkHmac({ scheme: "rfc9421", keys, ...over }, values).policy;

/** What a policy says of a request, signed as a test says. */
const tried = async (signing: Signing, over: Partial<Step> = {}): Promise<string> =>
  codeOf(await judge(link(over), await signed(signing)));

const without = (...names: string[]) => FIELDS.filter((name) => !names.includes(name));

describe("a message signature", () => {
  it.each<[string, Signing, string]>([
    ["of all that it must cover", {}, "passed"],
    ["of a request without a body", { method: "GET", body: null }, "passed"],
    [
      "of a request without a query",
      { url: "https://api.example.com/hooks", fields: without("@query") },
      "passed",
    ],
    ["of an empty query", { url: "https://api.example.com/hooks?" }, "passed"],
    ["of the whole target", { fields: ["@method", "@target-uri", "content-digest"] }, "passed"],
    [
      "of the target as it was requested",
      { fields: ["@method", "@request-target", "@authority", "content-digest"] },
      "passed",
    ],
    ["of a path in another form", { url: "https://api.example.com/a%2Db/%e2%82%ac'%5E?q=%7e" }, "passed"],
    [
      "of a host with the port of its scheme",
      { url: "https://api.example.com:443/hooks", fields: without("@query") },
      "passed",
    ],
    ["of a host with a port", { url: "https://api.example.com:8443/hooks?a" }, "passed"],
    ["of more fields", { fields: [...FIELDS, "x-tenant"], headers: { "x-tenant": "  a,b " } }, "passed"],
    [
      "of a digest by SHA-512",
      { headers: { "content-digest": digestField('{"a":1}', "sha-512") } },
      "passed",
    ],
    [
      "of two digests",
      { headers: { "content-digest": `${digestField('{"a":1}', "sha-512")}, ${digestField('{"a":1}')}` } },
      "passed",
    ],
    [
      "of a digest that nobody knows beside one",
      { headers: { "content-digest": `md5=:AAAA:, ${digestField('{"a":1}')}` } },
      "passed",
    ],
    ["by a key that it names", { params: { keyid: "new" } }, "passed"],
    ["by the other key", { key: OLD, params: { keyid: "old" } }, "passed"],
    ["by the other key, which it does not name", { key: OLD }, "passed"],
    ["that says its algorithm", { params: { alg: "hmac-sha256" } }, "passed"],
    ["that is not over yet", { params: { expires: NOW + 1 } }, "passed"],
    ["that is nearly too old", { params: { created: NOW - 299 } }, "passed"],
    ["of a clock that is ahead", { params: { created: NOW + 30 } }, "passed"],

    ["that leaves out the method", { fields: without("@method") }, "signature-incomplete"],
    ["that leaves out the host", { fields: without("@authority") }, "signature-incomplete"],
    ["that leaves out the path", { fields: without("@path") }, "signature-incomplete"],
    ["that leaves out the query", { fields: without("@query") }, "signature-incomplete"],
    ["that leaves out the digest", { fields: without("content-digest") }, "signature-incomplete"],
    ["of nothing", { fields: [] }, "signature-incomplete"],
    [
      "of a digest of another body",
      { headers: { "content-digest": digestField("other") } },
      "digest-mismatch",
    ],
    [
      "of two digests, one of another body",
      { headers: { "content-digest": `${digestField("other", "sha-512")}, ${digestField('{"a":1}')}` } },
      "digest-mismatch",
    ],
    ["of a digest that nobody knows", { headers: { "content-digest": "md5=:AAAA:" } }, "digest-mismatch"],
    ["of a digest that is none", { headers: { "content-digest": "rubbish" } }, "digest-mismatch"],
    ["of a digest as a text", { headers: { "content-digest": 'sha-256="AAAA"' } }, "digest-mismatch"],
    ["of an empty digest", { headers: { "content-digest": "sha-256=::" } }, "digest-mismatch"],
    ["by the key of another id", { key: OLD, params: { keyid: "new" } }, "signature-invalid"],
    ["by a key that nobody knows", { params: { keyid: "newer" } }, "signature-invalid"],
    ["by an id like JavaScript's own", { params: { keyid: "constructor" } }, "signature-invalid"],
    ["by somebody else", { key: "somebody else's secret of 32 byte" }, "signature-invalid"],
    ["by an empty key", { key: "" }, "signature-invalid"],
    ["that says another algorithm", { params: { alg: "ed25519" } }, "signature-invalid"],
    ["that says no algorithm of ours", { params: { alg: "none" } }, "signature-invalid"],
    ["that is over", { params: { expires: NOW } }, "signature-expired"],
    [
      "of a clock that is ahead, and over before it began",
      { params: { expires: NOW + 10, created: NOW + 20 } },
      "signature-expired",
    ],
    ["that is over before it began", { params: { expires: NOW - 1, created: NOW } }, "signature-expired"],
    ["that is too old", { params: { created: NOW - 300 } }, "signature-expired"],
    [
      "that is too old, and says that it is not over",
      { params: { created: NOW - 300, expires: NOW + 300 } },
      "signature-expired",
    ],
    ["of the future", { params: { created: NOW + 31 } }, "signature-expired"],
    ["with a nonce without end", { params: { nonce: "x".repeat(129) } }, "signature-malformed"],
  ])("%s", async (_, signing, code) => {
    expect(await tried(signing)).toBe(code);
  });

  it("asks for the fields that the policy names", async () => {
    const components = ["x-tenant"];
    const headers = { "x-tenant": "a" };
    expect(await tried({ headers }, { components })).toBe("signature-incomplete");
    expect(await tried({ headers, fields: [...FIELDS, "x-tenant"] }, { components })).toBe("passed");
  });

  it("says what it lacks, and nothing of itself", async () => {
    const verdict = await judge(link(), await signed({ fields: without("@query") }));
    expect(verdict).toMatchObject({ status: 401, detail: "The signature does not cover @query." });
  });

  it("is of one request only: whatever of it is changed is refused", async () => {
    const good = await signed({ fields: [...FIELDS, "x-tenant"], headers: { "x-tenant": "a" } });
    const fields = Object.fromEntries(good.request.headers);
    const other = (body: string, over: Record<string, string> = {}, to = {}) =>
      posted(body, { ...fields, ...over }, to);
    const body = '{"a":1}';
    const url = "https://api.example.com";
    expect(codeOf(await judge(link(), other(body)))).toBe("passed");
    for (const [exchange, code] of [
      [other(body, {}, { method: "PUT" }), "signature-invalid"],
      [other(body, {}, { url: `${url}/hooks?a=2` }), "signature-invalid"],
      [other(body, {}, { url: `${url}/hooks?a=1&b` }), "signature-invalid"],
      [other(body, {}, { url: `${url}/hooks` }), "signature-invalid"],
      [other(body, {}, { url: `${url}/admin?a=1` }), "signature-invalid"],
      [other(body, {}, { url: "https://evil.example.com/hooks?a=1" }), "signature-invalid"],
      [other(body, { "x-tenant": "b" }), "signature-invalid"],
      [other(body, { "x-tenant": "a, b" }), "signature-invalid"],
      [other('{"a":2}'), "digest-mismatch"],
      [other(""), "digest-mismatch"],
      [other('{"a":2}', { "content-digest": digestField('{"a":2}') }), "signature-invalid"],
    ] as const)
      expect(codeOf(await judge(link(), exchange))).toBe(code);
  });

  it("of a body that is not forwarded covers none", async () => {
    const exchange = await signed({ method: "GET", body: null });
    expect(codeOf(await judge(link(), exchange))).toBe("passed");
    expect(exchange.requestBody).toBeUndefined();
  });

  it("takes the bytes on, and its fields off", async () => {
    const policy = link();
    const exchange = await signed();
    await judge(policy, exchange);
    expect(new TextDecoder().decode(exchange.requestBody as Uint8Array)).toBe('{"a":1}');
    exchange.requestEdits.push(...policy.always);
    const headers = upstreamHeaders(exchange);
    expect([headers.has("signature"), headers.has("signature-input"), headers.has("content-digest")]).toEqual(
      [false, false, true],
    );
  });
});

describe("public keys", () => {
  const pairs = {
    ed: generateKeyPairSync("ed25519"),
    ec: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  };
  const planOf = (name: keyof typeof pairs) => ({
    id: name,
    caller: { name },
    jwk: pairs[name].publicKey.export({ format: "jwk" }) as Record<string, string>,
  });
  const mixed = { keys: [...keys, planOf("ed"), planOf("ec")] };

  it.each<[string, Signing, string]>([
    ["ed25519", { key: pairs.ed.privateKey, params: { keyid: "ed", alg: "ed25519" } }, "passed"],
    [
      "ecdsa-p256-sha256",
      { key: pairs.ec.privateKey, params: { keyid: "ec", alg: "ecdsa-p256-sha256" } },
      "passed",
    ],
    ["one that is not named", { key: pairs.ed.privateKey }, "passed"],
    [
      "one under the id of another",
      { key: pairs.ed.privateKey, params: { keyid: "ec" } },
      "signature-invalid",
    ],
    // The confusion of S11: what everybody knows is no secret.
    [
      "HMAC with the public key",
      { key: mixed.keys[2]!.jwk!["x"]!, params: { keyid: "ed" } },
      "signature-invalid",
    ],
    [
      "HMAC with the public key, and says so",
      { key: mixed.keys[2]!.jwk!["x"]!, params: { keyid: "ed", alg: "hmac-sha256" } },
      "signature-invalid",
    ],
    ["HMAC beside them", { params: { keyid: "new" } }, "passed"],
  ])("%s", async (_, signing, code) => {
    expect(await tried(signing, mixed)).toBe(code);
  });

  it("know a request again by what was signed: of ECDSA there are many signatures", async () => {
    const policy = link(mixed);
    const params = { keyid: "ec", nonce: "once" };
    for (const code of ["passed", "signature-replayed"])
      expect(codeOf(await judge(policy, await signed({ key: pairs.ec.privateKey, params })))).toBe(code);
  });

  it("that are no point on their curve have signed nothing", async () => {
    const jwk = { ...planOf("ec").jwk, x: "A".repeat(43) };
    expect(await tried({ key: pairs.ec.privateKey }, { keys: [{ ...planOf("ec"), jwk }] })).toBe(
      "signature-invalid",
    );
  });
});

it("of a key that nobody knows takes as long as one of a key that somebody does", async () => {
  const verify = vi.spyOn(crypto.subtle, "verify");
  const counts: number[] = [];
  for (const keyid of ["new", "nobody's"]) {
    verify.mockClear();
    await judge(link(), await signed({ key: "somebody else's secret of 32 byte", params: { keyid } }));
    counts.push(verify.mock.calls.length);
  }
  verify.mockRestore();
  expect(counts).toEqual([1, 1]);
});

describe("a message signature that comes again", () => {
  it("is known by its nonce, whatever else is signed", async () => {
    const policy = link();
    for (const [url, code] of [
      ["https://api.example.com/a?", "passed"],
      ["https://api.example.com/b?", "signature-replayed"],
    ])
      expect(codeOf(await judge(policy, await signed({ url: url!, params: { nonce: "n" } })))).toBe(code);
    const key = { key: OLD, params: { nonce: "n", keyid: "old" } };
    expect(codeOf(await judge(policy, await signed(key)))).toBe("passed");
  });

  it("is known without one by all that was signed", async () => {
    const policy = link();
    const exchange = await signed();
    const fields = Object.fromEntries(exchange.request.headers);
    const unsigned = { ...fields };
    expect(codeOf(await judge(policy, exchange))).toBe("passed");
    // The same bytes under another label.
    unsigned["signature"] = fields["signature"]!.replace("sig=", "gis=");
    unsigned["signature-input"] = fields["signature-input"]!.replace("sig=", "gis=");
    expect(codeOf(await judge(policy, posted('{"a":1}', unsigned)))).toBe("signature-replayed");
  });

  it("is forgotten when it is over, and not before", async () => {
    const { policy, ports } = linkHmac({ scheme: "rfc9421", keys });
    const params = { nonce: "n", expires: NOW + 10 };
    const again = async () => codeOf(await judge(policy, await signed({ params })));
    expect(await again()).toBe("passed");
    ports.clock.advance(9_999);
    expect(await again()).toBe("signature-replayed");
    ports.clock.advance(1);
    expect(await again()).toBe("signature-expired");
  });
});

it("a secret of a partner has 32 bytes at least", async () => {
  const { policy, ports } = linkHmac({ scheme: "rfc9421", keys: [keys[0]!] }, { NEW: "x".repeat(31) });
  expect(codeOf(await judge(policy, await signed({ key: "x".repeat(31) })))).toBe(
    "signature-keys-unavailable",
  );
  expect(JSON.stringify(ports.records)).not.toContain("xxx");
  expect(NEW).toHaveLength(32);
});

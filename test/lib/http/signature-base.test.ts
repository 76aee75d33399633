import { createHmac, createPublicKey, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { signatureBase as baseOf, targetOfUrl } from "../../../src/lib/http/signature-base.ts";

interface SignedMessage {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
}

const signatureBase = ({ method, url, headers }: SignedMessage, components: string[], parameters: string) =>
  baseOf({ method, target: targetOfUrl(url), headers }, components, parameters);

/** The request of RFC 9421 appendix B.2. */
const REQUEST: SignedMessage = {
  method: "POST",
  url: "https://example.com/foo?param=Value&Pet=dog",
  headers: new Headers({
    Date: "Tue, 20 Apr 2021 02:07:55 GMT",
    "Content-Type": "application/json",
    "Content-Digest":
      "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
    "Content-Length": "18",
  }),
};

const bytes = (text: string): Buffer => Buffer.from(text, "base64");

describe("the test cases of RFC 9421", () => {
  it("B.2.5: HMAC with SHA-256", () => {
    const components = ["date", "@authority", "content-type"];
    const { text, params } = signatureBase(
      REQUEST,
      components,
      ';created=1618884473;keyid="test-shared-secret"',
    );
    expect(text).toBe(
      [
        '"date": Tue, 20 Apr 2021 02:07:55 GMT',
        '"@authority": example.com',
        '"content-type": application/json',
        '"@signature-params": ("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
      ].join("\n"),
    );
    expect(params).toBe('("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"');
    const key = bytes(
      "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==",
    );
    const signature = createHmac("sha256", key).update(text).digest("base64");
    expect(signature).toBe("pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=");
  });

  it("B.2.6: Ed25519", () => {
    const components = ["date", "@method", "@path", "@authority", "content-type", "content-length"];
    const { text } = signatureBase(REQUEST, components, ';created=1618884473;keyid="test-key-ed25519"');
    const key = createPublicKey({
      key: { kty: "OKP", crv: "Ed25519", x: "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs" },
      format: "jwk",
    });
    const signature = bytes(
      "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==",
    );
    expect(verify(null, Buffer.from(text), key, signature)).toBe(true);
    expect(verify(null, Buffer.from(text.replace("POST", "PUT")), key, signature)).toBe(false);
  });
});

describe("a component", () => {
  const lineOf = (name: string, over: Partial<SignedMessage>): string =>
    signatureBase({ ...REQUEST, ...over }, [name], "").text.split("\n")[0]!;

  // RFC 9421 sections 2.1 and 2.2, each with an example of theirs where there is one.
  it.each([
    ["@method", { method: "GET" }, "GET"],
    ["@authority", { url: "https://www.EXAMPLE.com:443/path" }, "www.example.com"],
    ["@authority", { url: "http://www.example.com:8080/path" }, "www.example.com:8080"],
    ["@authority", { url: "http://[2001:DB8::1]:80/" }, "[2001:db8::1]"],
    ["@path", { url: "https://www.example.com/path?param=value" }, "/path"],
    ["@path", { url: "https://www.example.com" }, "/"],
    ["@path", { url: "http://orders/a%2Fb/%e9//c;v=1" }, "/a%2Fb/%e9//c;v=1"],
    [
      "@query",
      { url: "https://www.example.com/path?param=value&foo=bar&baz=bat%2Dman" },
      "?param=value&foo=bar&baz=bat%2Dman",
    ],
    ["@query", { url: "https://www.example.com/path" }, "?"],
    ["@query", { url: "https://www.example.com/path?" }, "?"],
    ["@query", { url: "https://www.example.com/path??x" }, "??x"],
    ["@scheme", { url: "HTTPS://www.example.com/" }, "https"],
    [
      "@target-uri",
      { url: "https://www.example.com:443/path?param=value" },
      "https://www.example.com/path?param=value",
    ],
    ["@request-target", { url: "https://www.example.com/path?param=value" }, "/path?param=value"],
    [
      "cache-control",
      {
        headers: new Headers([
          ["cache-control", "max-age=60"],
          ["cache-control", "   must-revalidate "],
        ]),
      },
      "max-age=60, must-revalidate",
    ],
    ["x-empty-header", { headers: new Headers({ "x-empty-header": "" }) }, ""],
  ])("%s is the value of what is sent (case %#)", (name, over, expected) => {
    expect(lineOf(name, over)).toBe(`"${name}": ${expected}`);
  });

  // What workerd's fetch sends for each was tried: it escapes these in just this way.
  it.each([
    ["@path", "http://orders/a'b^c{d}e|f", "/a'b%5Ec%7Bd%7De|f"],
    ["@query", "http://orders/?q='^{}|", "?q=%27^{}|"],
  ])("%s is what fetch makes of characters that it escapes", (name, url, expected) => {
    expect(lineOf(name, { url })).toBe(`"${name}": ${expected}`);
  });
});

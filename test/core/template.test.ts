import { describe, expect, it } from "vitest";
import {
  constantOf,
  fillTemplate,
  forHeader,
  forPathSegment,
  forTag,
  type Template,
} from "../../src/core/template.ts";
import { fakeExchange } from "../support/ports.ts";

const exchange = fakeExchange(new Request("https://api.example.com/orders/7?a=1"), {
  params: { rest: "a/b%2Fc", id: "7/../8", odd: "\ud800", text: "a b\r\nc\u00e9" },
  identity: {
    kind: "jwt",
    id: "main:42",
    issuer: "main",
    subject: "42",
    claims: { tenant: "acme", level: 3, staff: true, roles: ["a"] },
  },
});

const table: [what: string, template: Template, quote: (value: string) => string, expected: string][] = [
  ["text alone stays", ["/v2/orders"], forPathSegment, "/v2/orders"],
  [
    "a parameter cannot leave its segment",
    ["/v2/", { from: "params", name: "id" }],
    forPathSegment,
    "/v2/7%2F..%2F8",
  ],
  [
    "a header holds no line break and no other octets",
    [{ from: "params", name: "text" }],
    forHeader,
    "a b%0D%0Ac%C3%A9",
  ],
  ["half a surrogate pair is replaced", [{ from: "params", name: "odd" }], forHeader, "%EF%BF%BD"],
  [
    "a tag holds no comma and no space",
    ["user:", { from: "params", name: "text" }],
    forTag,
    "user:a%20b%0D%0Ac%C3%A9",
  ],
  [
    "the caller",
    [{ from: "identity", name: "id" }, "/", { from: "identity", name: "subject" }],
    forTag,
    "main%3A42/42",
  ],
  [
    "claims of plain types",
    [
      { from: "claims", name: "tenant" },
      "-",
      { from: "claims", name: "level" },
      "-",
      { from: "claims", name: "staff" },
    ],
    forTag,
    "acme-3-true",
  ],
  [
    "a claim that is no text, number or boolean is empty",
    ["x", { from: "claims", name: "roles" }],
    forTag,
    "x",
  ],
  [
    "the request and the client",
    [
      { from: "request", name: "method" },
      " ",
      { from: "request", name: "host" },
      " ",
      { from: "client", name: "ip" },
    ],
    (value) => value,
    "GET api.example.com 192.0.2.1",
  ],
];

describe("a template", () => {
  it.each(table)("%s", (_, template, quote, expected) => {
    expect(fillTemplate(template, exchange, quote)).toBe(expected);
  });

  it("is settled when it has no references", () => {
    expect(constantOf(["a", "b"])).toBe("ab");
    expect(constantOf(["a", { from: "client", name: "ip" }])).toBeUndefined();
  });
});

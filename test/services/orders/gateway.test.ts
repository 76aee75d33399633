import { beforeEach, describe, expect, it } from "vitest";
import worker from "../../../src/services/orders/index.ts";
import { asker, describeClosedService, expectRefusal, type Sent, withFields } from "../around-gateway.ts";
import { freshDatabase } from "../client.ts";
import { KEYS, ORDERS_CREDENTIAL } from "../gateway.ts";

const { through, around } = asker(worker, ORDERS_CREDENTIAL);
const READ: Sent = { target: "/orders?limit=1", headers: { "x-user-id": "42" } };
const PLACE: Sent = {
  method: "POST",
  target: "/orders",
  headers: { "x-user-id": "42" },
  json: { items: [{ sku: "LAMP-BRASS", quantity: 1 }] },
};

beforeEach(freshDatabase);

describeClosedService(worker, ORDERS_CREDENTIAL, { target: "/orders", headers: { "x-user-id": "42" } });

/** The same request elsewhere, or by another method, with what proved the first. */
const moved =
  (over: { readonly url?: string; readonly method?: string }) =>
  (request: Request): Request =>
    new Request(over.url ?? request.url, {
      method: over.method ?? request.method,
      headers: request.headers,
    });

/** Changes the text of Signature-Input. */
const input =
  (change: (text: string) => string) =>
  (request: Request): Request =>
    withFields({ "signature-input": change(request.headers.get("signature-input")!) })(request);

describe("a signature of the gateway", () => {
  it.each<[string, Sent]>([
    ["another method", { altered: moved({ method: "DELETE" }) }],
    ["HEAD in place of GET", { altered: moved({ method: "HEAD" }) }],
    ["another path", { altered: moved({ url: "http://service.test/orders/7?limit=1" }) }],
    ["a path that is written otherwise", { altered: moved({ url: "http://service.test/%6Frders?limit=1" }) }],
    ["another query", { altered: moved({ url: "http://service.test/orders?limit=100" }) }],
    ["no query", { altered: moved({ url: "http://service.test/orders" }) }],
    ["another host", { altered: moved({ url: "http://service-next.test/orders?limit=1" }) }],
    ["another customer", { altered: withFields({ "x-user-id": "1" }) }],
    ["no customer", { altered: withFields({ "x-user-id": undefined }) }],
    ["another type of body", { altered: withFields({ "content-type": "text/plain" }) }],
    ["another signature", { altered: withFields({ signature: `postern=:${"A".repeat(43)}=:` }) }],
    ["a signature of another length", { altered: withFields({ signature: "postern=:AAAA:" }) }],
    ["no signature", { altered: withFields({ signature: undefined }) }],
    ["no word on what is signed", { altered: withFields({ "signature-input": undefined }) }],
    [
      "a later end",
      { altered: input((text) => text.replace(/expires=(\d+)/, (_, at) => `expires=${+at + 60}`)) },
    ],
    ["another name of its key", { altered: input((text) => text.replace('alg="', 'keyid="x";alg="')) }],
    ["less that is covered", { altered: input((text) => text.replace(' "@query"', "")) }],
  ])("is refused with %s", async (_, sent) => {
    // Without an alteration the same is accepted.
    expect((await through({ ...READ, ...sent, altered: (it) => it })).status).toBe(200);
    await expectRefusal(await through({ ...READ, ...sent }));
  });

  it.each<[string, Sent]>([
    ["with another key", { key: "y".repeat(40) }],
    ["by another algorithm", { plan: { algorithm: "ed25519" }, key: ed25519Key() }],
    ["thirty-six seconds ago", { ahead: -36 }],
    ["in the future", { ahead: 10 }],
    ["for more than five minutes", { plan: { lifetimeSeconds: 301 } }],
    ["without the customer", { plan: { headers: [] } }],
  ])("is refused that was made %s", async (_, sent) => {
    await expectRefusal(await through({ ...READ, ...sent }));
  });

  it.each<[string, Sent]>([
    ["just now", {}],
    ["half a minute ago", { ahead: -29 }],
    ["by a clock that is a little behind", { ahead: -32 }],
    ["by a clock that is a little ahead", { ahead: 3 }],
    ["with a name for its key", { plan: { keyId: "shop/2026" } }],
    [
      "over more than is asked for",
      { plan: { headers: ["x-user-id", "accept"] }, headers: { ...READ.headers, accept: "*/*" } },
    ],
  ])("is accepted that was made %s", async (_, sent) => {
    expect((await through({ ...READ, ...sent })).status).toBe(200);
  });

  it("proves no other request than its own", async () => {
    const fields: Record<string, string> = {};
    const keep = (request: Request): Request => {
      for (const name of ["signature", "signature-input"]) fields[name] = request.headers.get(name)!;
      return request;
    };
    expect((await through({ ...PLACE, altered: keep })).status).toBe(201);
    const headers = { ...PLACE.headers, "content-type": "application/json", ...fields };
    await expectRefusal(await around({ ...READ, headers }));
    await expectRefusal(await around({ ...PLACE, target: "/orders?x=1", headers }));
    await expectRefusal(await around({ ...PLACE, headers: { ...headers, "x-user-id": "1" } }));
  });
});

describe("Signature-Input is read in one form only", () => {
  it.each<[string, (text: string) => string]>([
    ["another label", (text) => text.replace("postern=", "other=")],
    ["two labels", (text) => `${text}, other=("@method");created=1`],
    ["a component twice", (text) => text.replace('("@method"', '("@method" "@method"')],
    ["a component with a parameter", (text) => text.replace('"x-user-id"', '"x-user-id";sf')],
    ["a component that is not there", (text) => text.replace('"x-user-id"', '"x-user-id" "x-absent"')],
    ["parameters in another order", (text) => text.replace(/;(created=\d+);(expires=\d+)/, ";$2;$1")],
    ["a parameter twice", (text) => text.replace(/(;expires=\d+)/, "$1$1")],
    ["spaces", (text) => text.replace(";created", "; created")],
    ["no end", (text) => text.replace(/;expires=\d+/, "")],
    ["an end that is no number", (text) => text.replace(/expires=\d+/, "expires=1e99")],
    ["an empty list", (text) => text.replace(/\(.*\)/, "()")],
    ["nothing", () => ""],
  ])("%s is refused", async (_, change) => {
    await expectRefusal(await through({ ...READ, altered: input(change) }));
  });
});

describe("what holds the key and signs", () => {
  /** A request whose signature is a good one of these lines, whatever they are. */
  const signed = async (components: string, lines: readonly string[]): Promise<Response> => {
    const now = Math.floor(Date.now() / 1000);
    const params = `(${components});created=${now};expires=${now + 30};nonce="n";alg="hmac-sha256";tag="postern"`;
    const base = [...lines, `"@signature-params": ${params}`].join("\n");
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const bytes = new TextEncoder().encode(KEYS.ORDERS_KEY);
    const key = await crypto.subtle.importKey("raw", bytes, algorithm, false, ["sign"]);
    const value = new Uint8Array(await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(base)));
    const signature = `postern=:${btoa(String.fromCharCode(...value))}:`;
    const headers = { ...READ.headers, signature, "signature-input": `postern=${params}` };
    return around({ ...READ, headers });
  };
  const LINES = [
    '"@method": GET',
    '"@authority": service.test',
    '"@path": /orders',
    '"@query": ?limit=1',
    '"x-user-id": 42',
  ];
  const LIST = '"@method" "@authority" "@path" "@query" "x-user-id"';

  it("what is covered once is believed", async () => {
    expect((await signed(LIST, LINES)).status).toBe(200);
  });

  it.each([
    ["covers something twice (RFC 9421 section 2.5)", `${LIST} "@method"`, [...LINES, LINES[0]!]],
    ["covers a field that is not there", `${LIST} "x-absent"`, [...LINES, '"x-absent": undefined']],
    ["covers a component that this service does not know", `${LIST} "@status"`, [...LINES, '"@status": 200']],
    ["covers no path", LIST.replace(' "@path"', ""), LINES.filter((line) => !line.includes("@path"))],
  ])("is refused when it %s", async (_, list, lines) => {
    await expectRefusal(await signed(list, lines));
  });
});

/** A private key of the test, so that the signature is one. */
function ed25519Key(): string {
  const [x, d] = [
    "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
  ];
  return JSON.stringify({ kty: "OKP", crv: "Ed25519", x, d });
}

import { createHash, createHmac, type KeyObject, sign as signWith } from "node:crypto";
import { httpbis } from "http-message-signatures";
import type { Exchange } from "../../../src/core/exchange.ts";
import type { Authenticator, Verdict } from "../../../src/core/identity.ts";
import { authenticator, type Step } from "../../../src/policies/hmac/filter.ts";
import { type FakePorts, fakeExchange, fakePorts, fakeSite } from "../../support/ports.ts";

export const OLD = "the old secret of 32 bytes: 0123";
export const NEW = "the new secret of 32 bytes: 4567";

/** The clock of `fakePorts`, in seconds. */
export const NOW = Date.parse("2026-01-01T00:00:00Z") / 1000;

export const step: Step = {
  scheme: "github",
  keys: [{ id: null, caller: { name: "NEW" }, secret: "NEW" }],
  maxAgeMs: 300_000,
  maxBytes: 1024,
  refusesReplays: true,
  components: [],
  forward: {},
  forwardCredential: false,
};

/** A policy of a step that knows both secrets, or others. */
export const linkHmac = (
  over: Partial<Step>,
  secretValues: Record<string, string> = { OLD, NEW },
  ports: FakePorts = fakePorts({ secretValues }),
  site = fakeSite(),
): { policy: Authenticator; ports: FakePorts } => ({
  policy: authenticator({ ...step, ...over }, ports, site),
  ports,
});

/** A request with a body, as an exchange. */
export const posted = (
  body: string | Uint8Array<ArrayBuffer> | ReadableStream | null,
  headers: Record<string, string> = {},
  { method = "POST", url = "https://api.example.com/hooks?a=1" } = {},
): Exchange =>
  fakeExchange(new Request(url, { method, headers, body, duplex: "half" } as RequestInit), {
    scheme: "https",
  });

export const judge = async (policy: Authenticator, exchange: Exchange): Promise<Verdict> =>
  policy.authenticate(exchange);

/** The code of a refusal, or the outcome where it is none. */
export const codeOf = (verdict: Verdict): string => ("code" in verdict ? verdict.code : verdict.outcome);

export const hexOf = (secret: string, data: string): string =>
  createHmac("sha256", secret).update(data).digest("hex");

export const digestField = (body: string, name = "sha-256"): string =>
  `${name}=:${createHash(name.replace("-", "")).update(body).digest("base64")}:`;

/** How a test signs by RFC 9421, with a signer that others wrote. */
export interface Signing {
  readonly key?: string | KeyObject;
  readonly fields?: readonly string[];
  readonly params?: Readonly<Record<string, string | number>>;
  readonly method?: string;
  readonly url?: string;
  readonly body?: string | null;
  readonly headers?: Record<string, string>;
}

export const FIELDS = ["@method", "@authority", "@path", "@query", "content-digest"];

/** A signed request: what is left out is as it should be. */
export const signed = async (it: Signing = {}): Promise<Exchange> => {
  const { key = NEW, method = "POST", url = "https://api.example.com/hooks?a=1", body = '{"a":1}' } = it;
  const headers: Record<string, string> = {
    ...(body !== null && { "content-digest": digestField(body) }),
    ...it.headers,
  };
  const params = { created: NOW, nonce: String(Math.random()), ...it.params };
  const message = await httpbis.signMessage(
    {
      key: {
        sign: async (data) =>
          typeof key === "string"
            ? createHmac("sha256", key).update(data).digest()
            : signWith(key.asymmetricKeyType === "ec" ? "sha256" : null, data, {
                key,
                dsaEncoding: "ieee-p1363",
              }),
      },
      params: Object.keys(params),
      paramValues: Object.fromEntries(
        Object.entries(params).map(([name, value]) => [
          name,
          name === "created" || name === "expires" ? new Date(Number(value) * 1000) : value,
        ]),
      ),
      fields: [...(it.fields ?? FIELDS.filter((name) => body !== null || name !== "content-digest"))],
    },
    { method, url, headers },
  );
  return posted(body, message.headers as Record<string, string>, { method, url });
};

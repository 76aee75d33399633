import { readBody } from "../../core/request-body.ts";
import {
  AHEAD_MS,
  bytesOfHex,
  digestOf,
  type Judgment,
  refuse,
  type Scheme,
  type SchemeSite,
} from "./scheme.ts";
import { type SigningKey, signerOf } from "./signing-key.ts";

const FIELD = "stripe-signature";

/** While the sender changes its secret it signs with both. */
const MOST_SIGNATURES = 4;

/** Signatures as Stripe sends them with webhooks: `t=…,v1=…`, HMAC-SHA-256 over the time, a dot, and the body. */
export const stripe = ({ keys, clock, maxAgeMs, maxBytes }: SchemeSite): Scheme => ({
  fields: [FIELD],
  judge: (exchange) => {
    const field = exchange.request.headers.get(FIELD);
    if (field === null) return undefined;
    const signed = parse(field);
    if (signed === undefined) return refuse("signature-malformed");
    const atMs = Number(signed.time) * 1000;
    const nowMs = clock.now();
    if (nowMs >= atMs + maxAgeMs || atMs > nowMs + AHEAD_MS) return refuse("signature-expired");
    return readBody(exchange, maxBytes).then(async (body): Promise<Judgment> => {
      if (typeof body === "string") return body;
      const data = joined(`${signed.time}.`, body);
      const key = await anySignerOf(keys, data, signed.signatures);
      if (key === undefined) return refuse("signature-invalid");
      // By what was signed: the sender may have signed it twice, and each signature would pass for new.
      return { key, once: `${keys[0]!.tag} ${await digestOf(data)}`, untilMs: atMs + maxAgeMs };
    });
  },
});

/** Exactly one time; signatures of other schemes than `v1` are passed over, as Stripe asks. */
const parse = (field: string): { time: string; signatures: readonly string[] } | undefined => {
  if (field.length > 1024) return undefined;
  const pairs = field.split(",").map((pair) => pair.trim());
  const valuesOf = (key: string): string[] =>
    pairs.filter((pair) => pair.startsWith(`${key}=`)).map((pair) => pair.slice(key.length + 1));
  const [time, ...others] = valuesOf("t");
  const signatures = valuesOf("v1");
  return time !== undefined &&
    others.length === 0 &&
    /^(?:0|[1-9]\d{0,11})$/.test(time) &&
    signatures.length > 0 &&
    signatures.length <= MOST_SIGNATURES &&
    signatures.every((signature) => /^[0-9a-f]{64}$/.test(signature))
    ? { time, signatures }
    : undefined;
};

const anySignerOf = async (
  keys: readonly SigningKey[],
  data: Uint8Array<ArrayBuffer>,
  signatures: readonly string[],
): Promise<SigningKey | undefined> => {
  for (const signature of signatures) {
    const key = await signerOf(keys, data, bytesOfHex(signature));
    if (key !== undefined) return key;
  }
  return undefined;
};

const joined = (first: string, second: Uint8Array): Uint8Array<ArrayBuffer> => {
  const whole = new Uint8Array(first.length + second.byteLength);
  whole.set(new TextEncoder().encode(first));
  whole.set(second, first.length);
  return whole;
};

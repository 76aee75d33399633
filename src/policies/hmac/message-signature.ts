import type { Exchange } from "../../core/exchange.ts";
import { readBody } from "../../core/request-body.ts";
import { DERIVED_COMPONENTS, type SignedTarget, signatureBase } from "../../lib/http/signature-base.ts";
import { parseDictionary, serializeParameters } from "../../lib/http/structured-fields.ts";
import { readSignature, type Signature } from "./read-signature.ts";
import {
  AHEAD_MS,
  digestOf,
  type Judgment,
  type Refusal,
  refuse,
  type Scheme,
  type SchemeSite,
} from "./scheme.ts";
import { type SigningKey, signerOf } from "./signing-key.ts";

/**
 * HTTP message signatures (RFC 9421): one signature, over method, host, path and query at least, and over the digest of the body
 * (RFC 9530) where there is one.
 */
export const messageSignature = (site: SchemeSite): Scheme => ({
  fields: ["signature", "signature-input"],
  judge: (exchange) => {
    const { headers } = exchange.request;
    const input = headers.get("signature-input");
    const value = headers.get("signature");
    if (input === null && value === null) return undefined;
    const signature = readSignature(input ?? "", value ?? "");
    if (signature === undefined) return refuse("signature-malformed");
    return check(exchange, signature, site) ?? verify(exchange, signature, site);
  },
});

/** What can be refused without a key: a component that is not there or not covered, a time that is not ours. */
const check = (exchange: Exchange, signature: Signature, site: SchemeSite): Refusal | undefined => {
  const { components, created, expires } = signature;
  const { headers } = exchange.request;
  const isThere = (name: string): boolean =>
    name.startsWith("@") ? (DERIVED_COMPONENTS as readonly string[]).includes(name) : headers.has(name);
  if (!components.every(isThere))
    return refuse("signature-malformed", "The signature covers something that the request does not have.");
  const missing = uncovered(exchange, components, site.components);
  if (missing !== undefined)
    return refuse("signature-incomplete", `The signature does not cover ${missing}.`);
  const nowMs = site.clock.now();
  const isOfNow = nowMs < untilMsOf(signature, site) && created * 1000 <= nowMs + AHEAD_MS;
  return isOfNow && (expires === undefined || created <= expires) ? undefined : refuse("signature-expired");
};

const untilMsOf = ({ created, expires }: Signature, { maxAgeMs }: SchemeSite): number =>
  Math.min(created * 1000 + maxAgeMs, expires === undefined ? Number.POSITIVE_INFINITY : expires * 1000);

/** Without these, a signature could be moved to another request. `@target-uri` is host, path and query in one. */
const uncovered = (
  { query }: Exchange,
  covered: readonly string[],
  wanted: readonly string[],
): string | undefined => {
  const needed: readonly (readonly string[])[] = [
    ["@method"],
    ["@authority", "@target-uri"],
    ["@path", "@target-uri", "@request-target"],
    ...(query === "" ? [] : [["@query", "@target-uri", "@request-target"]]),
    ...wanted.map((name) => [name]),
  ];
  return needed.find((any) => !any.some((name) => covered.includes(name)))?.[0];
};

const verify = async (exchange: Exchange, signature: Signature, site: SchemeSite): Promise<Judgment> => {
  const { components, parameters, value } = signature;
  const { method, request } = exchange;
  const message = { method, target: targetOf(exchange), headers: request.headers };
  const { text } = signatureBase(message, components, serializeParameters(parameters));
  const data = new TextEncoder().encode(text);
  const keys = keysFor(signature, site.keys);
  // A key that is not known takes as long as one that is (S18).
  const key = await signerOf(keys.length > 0 ? keys : site.keys.slice(0, 1), data, value);
  if (key === undefined || keys.length === 0) return refuse("signature-invalid");
  const body = await readBody(exchange, site.maxBytes);
  const fault = typeof body === "string" ? body : await digestFault(request.headers, components, body);
  if (fault !== undefined) return fault;
  const once = signature.nonce === undefined ? await digestOf(data) : `nonce ${signature.nonce}`;
  return { key, once: `${key.tag} ${once}`, untilMs: untilMsOf(signature, site) };
};

/** Keys of the signature's algorithm that it names; those without a name may be meant by any. */
const keysFor = ({ keyId, algorithm }: Signature, keys: readonly SigningKey[]): readonly SigningKey[] => {
  const fitting = keys.filter((key) => algorithm === undefined || key.algorithm === algorithm);
  if (keyId === undefined) return fitting;
  const named = fitting.filter(({ id }) => id === keyId);
  return named.length > 0 ? named : fitting.filter(({ id }) => id === undefined);
};

/** As the client wrote it (RFC 9421 section 2.2), where the path of the exchange is normalized. */
const targetOf = ({ request: { url }, scheme, authority, query }: Exchange): SignedTarget => {
  const pathAt = url.indexOf("/", url.indexOf("://") + 3);
  const queryAt = url.indexOf("?");
  const end = queryAt < 0 ? url.length : queryAt;
  const port = scheme === "https" ? ":443" : ":80";
  return {
    scheme,
    authority: authority.endsWith(port) ? authority.slice(0, -port.length) : authority,
    path: pathAt < 0 || pathAt > end ? "/" : url.slice(pathAt, end),
    query,
  };
};

const HASHES: ReadonlyMap<string, string> = new Map([
  ["sha-256", "SHA-256"],
  ["sha-512", "SHA-512"],
]);

/** A body has to be covered by its digest, and every digest that can be checked has to be the body's (RFC 9530 section 2). */
const digestFault = async (
  headers: Headers,
  covered: readonly string[],
  body: Uint8Array<ArrayBuffer>,
): Promise<Refusal | undefined> => {
  const isCovered = covered.includes("content-digest");
  if (!isCovered)
    return body.byteLength === 0
      ? undefined
      : refuse("signature-incomplete", "The signature does not cover content-digest, and there is a body.");
  const digests = [...(parseDictionary(headers.get("content-digest")!) ?? [])].filter(([name]) =>
    HASHES.has(name),
  );
  for (const [name, { value }] of digests) {
    const digest = new Uint8Array(await crypto.subtle.digest(HASHES.get(name)!, body));
    const isOfBody =
      value instanceof Uint8Array &&
      value.byteLength === digest.byteLength &&
      digest.every((byte, at) => byte === value[at]);
    if (!isOfBody) return refuse("digest-mismatch");
  }
  return digests.length > 0 ? undefined : refuse("digest-mismatch", "No digest of the body can be checked.");
};

import type { Source, Sources } from "../lib/cel/link.ts";
import { own } from "../lib/cel/values.ts";
import type { Exchange } from "./exchange.ts";
import type { Clock } from "./ports.ts";

/** What Cloudflare tells of a request; absent elsewhere. Clients cannot write it (unlike the headers that copy it). */
interface CloudflareRequest {
  readonly cf?: {
    readonly tlsClientAuth?: {
      readonly certVerified?: string;
      readonly certRevoked?: string;
      readonly certFingerprintSHA256?: string;
      readonly certSubjectDN?: string;
      readonly certIssuerDN?: string;
      readonly certSerial?: string;
    };
  };
}

const cloudflare = (exchange: Exchange): CloudflareRequest["cf"] =>
  (exchange.request as CloudflareRequest).cf;

/** The client's certificate, if it was presented, verified, and is not revoked. */
const certificate = (exchange: Exchange) => {
  const tls = cloudflare(exchange)?.tlsClientAuth;
  return tls?.certVerified === "SUCCESS" && tls.certRevoked !== "1" ? tls : undefined;
};

const value = (read: (exchange: Exchange) => unknown): Source<Exchange> => ({ read });
const text = (read: (exchange: Exchange) => string | undefined): Source<Exchange> => ({
  read: (exchange) => read(exchange) || undefined,
});

/** A map that is there already: a key is one look-up. */
const keyed = (
  read: (exchange: Exchange) => Readonly<Record<string, unknown>> | undefined,
): Source<Exchange> => ({ read, get: (exchange, key) => own(read(exchange), key) });

/** Header fields by their lower-case names; the map is made only for an expression that goes through all of them. */
const headers: Source<Exchange> = {
  read: (exchange) => Object.fromEntries(exchange.request.headers),
  get: (exchange, name) =>
    name === name.toLowerCase() ? (exchange.request.headers.get(name) ?? undefined) : undefined,
};

/** Query parameters, the first of each name. */
const query: Source<Exchange> = {
  read: (exchange) => Object.fromEntries([...new URLSearchParams(exchange.query)].reverse()),
  get: (exchange, name) =>
    exchange.query === "" ? undefined : (new URLSearchParams(exchange.query).get(name) ?? undefined),
};

/** Every name that the compiler lets an expression read, and where it comes from. Nothing is made before it is asked for. */
export const scopeOf = (clock: Clock): Sources<Exchange> => ({
  "identity.kind": value((exchange) => exchange.identity?.kind),
  // Nobody has no id.
  "identity.id": text((exchange) => exchange.identity?.id),
  "identity.issuer": value((exchange) => exchange.identity?.issuer),
  "identity.subject": value((exchange) => exchange.identity?.subject),
  claims: keyed((exchange) => exchange.identity?.claims),
  "consumer.name": value((exchange) => exchange.identity?.consumer?.name),
  "consumer.plan": value((exchange) => exchange.identity?.consumer?.plan),
  "consumer.attributes": keyed((exchange) => exchange.identity?.consumer?.attributes),
  params: keyed((exchange) => exchange.params),
  "request.method": value((exchange) => exchange.method),
  "request.scheme": value((exchange) => exchange.scheme),
  "request.host": value((exchange) => exchange.host),
  "request.path": value((exchange) => exchange.path),
  "request.headers": headers,
  "request.query": query,
  "client.ip": text((exchange) => exchange.clientIp),
  // An unknown country is absent, so that an expression that asks for it refuses.
  "client.country": text(({ clientCountry }) => (clientCountry === "XX" ? undefined : clientCountry)),
  "client.certificate": value(certificate),
  "client.certificate.fingerprint": text((exchange) => certificate(exchange)?.certFingerprintSHA256),
  "client.certificate.subject": text((exchange) => certificate(exchange)?.certSubjectDN),
  "client.certificate.issuer": text((exchange) => certificate(exchange)?.certIssuerDN),
  "client.certificate.serial": text((exchange) => certificate(exchange)?.certSerial),
  now: value(() => new Date(clock.now())),
});

import { CLOCK_SKEW_SECONDS, type GatewayProof } from "./gateway.ts";

/** Without these, a signature could be moved to another request. */
const ALWAYS = ["@method", "@authority", "@path", "@query"];

const MOST_SECONDS = 300;

/**
 * The gateway's Signature-Input to the letter: its one label, and its parameters in its order. No other form of a structured
 * field (RFC 9651) is read, so that there are no two ways to read one.
 */
const INPUT =
  /^postern=(?<params>\((?<list>"@?[a-z0-9-]+"(?: "@?[a-z0-9-]+")*)\);created=(?<created>\d{1,12});expires=(?<expires>\d{1,12});nonce="[\w-]+"(?:;keyid="[\w.:/-]+")?;alg="hmac-sha256";tag="postern")$/;

/** 32 bytes, as a byte sequence (RFC 9651 section 3.3.5). */
const SIGNATURE = /^postern=:(?<value>[A-Za-z0-9+/]{43}=):$/;

/**
 * A request proves the gateway by a signature of HMAC-SHA-256 (RFC 9421) that was made within five minutes, is still good,
 * and covers method, host, path and query, and of the fields that this service believes all that are there.
 */
export const bySignature =
  (believed: readonly string[]): GatewayProof["holds"] =>
  async (request, key) => {
    const input = INPUT.exec(request.headers.get("signature-input") ?? "")?.groups;
    const value = SIGNATURE.exec(request.headers.get("signature") ?? "")?.groups?.["value"];
    if (input === undefined || value === undefined) return false;
    const components = input["list"]!.split(" ").map((name) => name.slice(1, -1));
    const needed = [...ALWAYS, ...believed.filter((name) => request.headers.has(name))];
    if (!needed.every((name) => components.includes(name))) return false;
    if (!isTimely(Number(input["created"]), Number(input["expires"]))) return false;
    const base = signatureBase(request, components, input["params"]!);
    return base !== undefined && isSignature(value, base, key);
  };

const isTimely = (created: number, expires: number): boolean => {
  const now = Date.now() / 1000;
  return (
    created <= now + CLOCK_SKEW_SECONDS &&
    now <= expires + CLOCK_SKEW_SECONDS &&
    expires - created <= MOST_SECONDS
  );
};

/** RFC 9421 section 2.5; undefined where something is covered twice, or is not there. */
const signatureBase = (
  request: Request,
  components: readonly string[],
  params: string,
): string | undefined => {
  if (new Set(components).size < components.length) return undefined;
  const values = components.map((name) => componentOf(request, name));
  if (values.includes(undefined)) return undefined;
  const lines = components.map((name, index) => `"${name}": ${values[index]}`);
  return [...lines, `"@signature-params": ${params}`].join("\n");
};

/** RFC 9421 sections 2.1 and 2.2. */
const componentOf = (request: Request, name: string): string | undefined => {
  const url = new URL(request.url);
  switch (name) {
    case "@method":
      return request.method;
    case "@authority":
      return url.host;
    case "@path":
      return url.pathname;
    case "@query":
      return url.search || "?";
    default:
      return name.startsWith("@") ? undefined : (request.headers.get(name) ?? undefined);
  }
};

const isSignature = async (value: string, base: string, text: string): Promise<boolean> => {
  const bytes = Uint8Array.from(atob(value), (character) => character.charCodeAt(0));
  const [key, data] = [text, base].map((it) => new TextEncoder().encode(it)) as [Uint8Array, Uint8Array];
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key as BufferSource, algorithm, false, ["verify"]);
  return crypto.subtle.verify("HMAC", imported, bytes, data as BufferSource);
};

import type { Exchange } from "../../core/exchange.ts";
import type { Clock } from "../../core/ports.ts";
import type { SigningKey } from "./signing-key.ts";

/** Why a signature is refused; the codes are part of the product's interface. */
export type RefusalCode =
  | "signature-malformed"
  | "signature-incomplete"
  | "signature-expired"
  | "signature-invalid"
  | "signature-replayed"
  | "digest-mismatch";

/** What becomes of a request that is signed. */
export type Judgment =
  | {
      readonly key: SigningKey;
      /** The same for everything that is signed in one go, however often it comes and by whichever key it is checked. */
      readonly once: string;
      /** When the signature is too old. */
      readonly untilMs: number;
    }
  | Refusal
  /** What the body was when it was read. */
  | "too-large"
  | "broken";

export interface Refusal {
  readonly code: RefusalCode;
  /** For the caller: one sentence without quotes, and without a word of the signature. */
  readonly detail: string;
}

/** What a scheme needs of its policy. */
export interface SchemeSite {
  readonly keys: readonly SigningKey[];
  readonly clock: Clock;
  readonly maxAgeMs: number;
  readonly maxBytes: number;
  /** What a signature has to cover beside what every one must. */
  readonly components: readonly string[];
}

/** A way to sign requests. */
export interface Scheme {
  /** The fields that carry a signature, all of which end here. */
  readonly fields: readonly string[];
  /** Undefined for a request without a signature. Never rejects. */
  judge(exchange: Exchange): Judgment | Promise<Judgment> | undefined;
}

/** How far the clock of a sender may be ahead of ours. */
export const AHEAD_MS = 30_000;

const DETAILS: Readonly<Record<RefusalCode, string>> = {
  "signature-malformed": "This is not one well-formed signature.",
  "signature-incomplete": "The signature does not cover all that it has to.",
  "signature-expired": "The signature is too old, or not of this time.",
  "signature-invalid": "The signature was not made by a key that is known here.",
  "signature-replayed": "A request with this signature has come before.",
  "digest-mismatch": "The digest is not that of the body.",
};

/** Makes a refusal with the words of its code. */
export const refuse = (code: RefusalCode, detail = DETAILS[code]): Refusal => ({ code, detail });

/** Bytes from lower-case hexadecimal digits. */
export const bytesOfHex = (hex: string): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(hex.length / 2);
  for (let at = 0; at < bytes.length; at++) bytes[at] = Number.parseInt(hex.slice(at * 2, at * 2 + 2), 16);
  return bytes;
};

/** SHA-256 as a short text. */
export const digestOf = async (data: Uint8Array<ArrayBuffer>): Promise<string> =>
  String.fromCharCode(...new Uint16Array(await crypto.subtle.digest("SHA-256", data)));

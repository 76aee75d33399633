/** What a Basic credential says. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** Longer ones hold no name and key of a consumer. */
const LONGEST = 512;

/**
 * Takes the token68 of a Basic credential apart (RFC 7617 section 2): base64 with its padding, UTF-8, no control characters; the
 * first colon ends the user, and the password may hold others. Undefined for anything else.
 */
export const splitCredentials = (token: string): Credentials | undefined => {
  if (token.length > LONGEST || token.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(token))
    return undefined;
  const bytes = atob(token);
  // Bits behind the last byte would let two texts be one credential.
  if (btoa(bytes) !== token) return undefined;
  const text = /^[\x20-\x7e]*$/.test(bytes) ? bytes : utf8Of(bytes);
  if (text === undefined || /\p{Cc}/u.test(text)) return undefined;
  const colon = text.indexOf(":");
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
};

/** The text of UTF-8 bytes, each a character; undefined where they are none. A byte order mark is a character like others. */
const utf8Of = (bytes: string): string | undefined => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)),
    );
  } catch {
    return undefined;
  }
};

import { readBody } from "../../core/request-body.ts";
import { bytesOfHex, type Judgment, refuse, type Scheme, type SchemeSite } from "./scheme.ts";
import { signerOf } from "./signing-key.ts";

const FIELD = "x-hub-signature-256";

/**
 * Signatures as GitHub sends them with webhooks: HMAC-SHA-256 over the body, in hexadecimal behind `sha256=`. They say nothing of
 * when they were made, and nothing of method and path; the one of SHA-1 beside them is not looked at.
 */
export const github = ({ keys, clock, maxAgeMs, maxBytes }: SchemeSite): Scheme => ({
  fields: [FIELD, "x-hub-signature"],
  judge: (exchange) => {
    const field = exchange.request.headers.get(FIELD);
    if (field === null) return undefined;
    // Two fields arrive joined by a comma.
    const hex = /^sha256=([0-9a-f]{64})$/.exec(field)?.[1];
    if (hex === undefined) return refuse("signature-malformed");
    return readBody(exchange, maxBytes).then(async (body): Promise<Judgment> => {
      if (typeof body === "string") return body;
      const key = await signerOf(keys, body, bytesOfHex(hex));
      if (key === undefined) return refuse("signature-invalid");
      return { key, once: key.tag + hex, untilMs: clock.now() + maxAgeMs };
    });
  },
});

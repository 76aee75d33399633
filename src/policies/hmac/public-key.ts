import { z } from "zod";
import { explain } from "../shapes.ts";

const fault = (code: string, wrong: string, remedy: string) => ({
  code: "custom" as const,
  message: explain(wrong, remedy),
  params: { code },
});

/** 32 bytes in base64url (RFC 7518 section 6.2, RFC 8037 section 2). */
const isCoordinate = (value: unknown): boolean =>
  typeof value === "string" && /^[A-Za-z0-9_-]{43}$/.test(value);

/** A public JSON Web Key that checks signatures of RFC 9421: on Ed25519, or on P-256. What else it says is left out. */
export const publicKey = () =>
  z
    .looseObject({
      kty: z.string().describe("Type of the key: OKP or EC."),
      crv: z.string().describe("Its curve: Ed25519 or P-256."),
      x: z.string().describe("The public key, or its first coordinate."),
      y: z.string().optional().describe("The second coordinate, of EC."),
      kid: z.string().min(1).optional().describe("The `keyid` of its signatures, where `id` says no other."),
    })
    .superRefine((jwk, context) => {
      const { kty, crv, x, y } = jwk;
      if (Object.hasOwn(jwk, "d"))
        context.addIssue({
          ...fault(
            "private-key",
            "This is the private part of a key, and policy files hold none.",
            "Remove it, keep the public members only, and replace the key: whoever read this file can sign with it.",
          ),
          path: ["d"],
        });
      else if (
        !isCoordinate(x) ||
        !((kty === "OKP" && crv === "Ed25519") || (kty === "EC" && crv === "P-256" && isCoordinate(y)))
      )
        context.addIssue(
          fault(
            "unfit-key",
            "No signature can be checked with this key.",
            "Write a public JSON Web Key: OKP on Ed25519 with `x`, or EC on P-256 with `x` and `y`.",
          ),
        );
    });

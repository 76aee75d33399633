import { z } from "zod";
import { duration, explain, headerName, oneOf, secret } from "../../policies/shapes.ts";

/** Fields that say how a message gets from one hop to the next or how it is framed, and those that the gateway writes itself. */
const RESERVED =
  /^(?:connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|expect|host|content-.*|via|forwarded|x-forwarded-.*|x-real-ip|true-client-ip|cdn-loop|cf-.*|traceparent|tracestate|signature|signature-input)$/;

const carrier = () =>
  headerName().refine(
    (name) => !RESERVED.test(name),
    explain(
      "This field cannot carry a credential: it is written or taken off for other reasons.",
      "Name one of your own, such as x-gateway-key, or authorization.",
    ),
  );

/** Seconds from a duration within bounds. */
const lifetime = (most: string, mostSeconds: number) =>
  duration()
    .refine(
      (ms) => ms % 1000 === 0 && ms >= 5000 && ms <= mostSeconds * 1000,
      explain(
        "This is not a lifetime that a credential can have.",
        `Write whole seconds from 5s to ${most}.`,
      ),
    )
    .transform((ms) => ms / 1000);

/** It stands inside quotes in a header field and inside JSON: without characters that either would have to escape. */
const keyId = () =>
  z
    .string()
    .regex(
      /^[A-Za-z0-9._:/-]{1,255}$/,
      explain("This cannot be the name of a key.", "Write letters, digits, and any of . _ : / - in between."),
    )
    .optional()
    .describe("Name by which the service finds the key.");

const jwt = z.strictObject({
  key: secret().describe(
    "The key: for HS256 a text of at least 32 bytes, else a private key as JWK (RFC 7517), in JSON.",
  ),
  algorithm: oneOf("HS256", "ES256", "EdDSA").describe("How the token is signed."),
  audience: z
    .string()
    .min(1)
    .max(255)
    .describe("What the token says it is for, in `aud`: the name by which the service knows itself."),
  header: carrier()
    .prefault("x-gateway-token")
    .describe("The field that carries the token; authorization carries it as a Bearer token."),
  lifetime: lifetime("1h", 3600)
    .prefault("60s")
    .describe("How long a token is good; one is used for half of that."),
  keyId: keyId(),
});

/** What is not sent as the gateway hands it over, and what says itself what it covers. */
const UNSIGNED =
  /^(?:connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|expect|content-length|accept-encoding|via|forwarded|x-forwarded-.*|x-real-ip|true-client-ip|cdn-loop|cf-.*|signature|signature-input)$/;

const signed = headerName()
  .refine(
    (name) => !UNSIGNED.test(name),
    explain("A signature cannot cover this field: it is changed on the way.", "Remove it."),
  )
  .refine(
    (name) => name !== "host",
    explain("The host is always covered, as @authority.", "Remove this line."),
  );

const signature = z.strictObject({
  key: secret().describe(
    "The key: for hmac-sha256 a text of at least 32 bytes, else a private key as JWK (RFC 7517), in JSON.",
  ),
  algorithm: oneOf("hmac-sha256", "ed25519", "ecdsa-p256-sha256").describe("How the request is signed."),
  headers: z
    .array(signed)
    .default([])
    .describe(
      "Header fields that the signature covers where they are sent, beside method, authority, path, query, Content-Type and Content-Digest: name here what the service believes.",
    ),
  lifetime: lifetime("5m", 300).prefault("30s").describe("How long a signature is good."),
  keyId: keyId(),
});

const bindingName = () =>
  z
    .string()
    .regex(
      /^[A-Za-z_][A-Za-z0-9_]*$/,
      explain(
        "This is not the name of a binding.",
        "Write the name that wrangler.toml gives the certificate under [[mtls_certificates]]: ORDERS_CERT.",
      ),
    );

const KINDS = ["header", "jwt", "signature", "certificate"] as const;

const written = z.strictObject({
  header: carrier()
    .optional()
    .describe("A field that carries a secret; whatever a client sends in it is replaced."),
  scheme: z
    .string()
    .regex(
      /^[A-Za-z][A-Za-z0-9-]*$/,
      explain("This is not the name of a scheme.", "Write one word of letters: Bearer."),
    )
    .optional()
    .describe("Beside `header`: a word that stands before the secret, as authorization has it: Bearer."),
  value: secret().optional().describe("Beside `header`: the secret itself, of at least 16 characters."),
  jwt: jwt
    .optional()
    .describe(
      "A token (RFC 7519) that names the gateway (`iss`), the route (`route`), and the caller (`sub` and `caller`).",
    ),
  signature: signature
    .optional()
    .describe("A signature of each request (RFC 9421), labelled and tagged `postern`."),
  certificate: z
    .strictObject({ binding: bindingName().describe("The binding of the certificate.") })
    .optional()
    .describe(
      "A client certificate that is shown to each target; all of them are listed, and reached by an https `url`. `postern serve` takes its file with --certificate.",
    ),
});

type Written = z.output<typeof written>;

/** What a credential is: exactly one of four kinds. Undefined where it is not, which is reported. */
const oneKind = (document: Written, context: z.RefinementCtx<Written>) => {
  const { header, scheme, value, jwt, signature, certificate } = document;
  const fault = (path: string[], code: string, wrong: string, remedy: string) => {
    const params = { code, onKey: true };
    context.addIssue({ code: "custom", path, message: explain(wrong, remedy), params });
    return z.NEVER;
  };
  const kinds = KINDS.filter((kind) => document[kind] !== undefined);
  if (kinds.length > 1)
    return fault(
      [kinds[1]!],
      "conflicting-keys",
      `A credential is one thing, not ${kinds.map((kind) => `"${kind}"`).join(" and ")}.`,
      "Keep one of them.",
    );
  if (header === undefined && (value ?? scheme) !== undefined)
    return fault(
      [value === undefined ? "scheme" : "value"],
      "missing-key",
      "It is not said in which field the secret goes.",
      "Add `header:` with the name of the field: x-gateway-key.",
    );
  if (header !== undefined) {
    if (value !== undefined) return { kind: "header" as const, header, scheme, value };
    const remedy = "Add `value:` with a reference to it: { env: NAME }.";
    return fault(["header"], "missing-key", "The secret that goes in this field is missing.", remedy);
  }
  if (jwt !== undefined) return { kind: "jwt" as const, ...jwt };
  if (signature !== undefined) return { kind: "signature" as const, ...signature };
  if (certificate !== undefined) return { kind: "certificate" as const, ...certificate };
  // One that was mistyped is not missing as well.
  if (context.issues.length > 0) return z.NEVER;
  const remedy = "Write one of header, jwt, signature or certificate.";
  return fault([], "missing-key", "Nothing is said of what the credential is.", remedy);
};

/** What proves to an upstream that a request comes from the gateway. */
export const credentialSchema = written
  .transform(oneKind)
  .describe(
    "What proves to the upstream that the gateway sent a request, so that it can refuse whoever comes around the gateway: exactly one of a secret in a `header`, a `jwt`, a `signature` and a `certificate`.",
  );

export type CredentialDocument = z.output<typeof credentialSchema>;

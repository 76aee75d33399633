import type { SignatureCredentialPlan } from "../../core/upstream-plan.ts";
import { encodeBase64 } from "../../lib/base64.ts";
import { signatureBase, targetOfUrl } from "../../lib/http/signature-base.ts";
import type { Call, CredentialFactory } from "../parts.ts";
import { linkSigner } from "./signer.ts";

/** Covered in every request: an altered method, host, path or query makes the signature a wrong one. */
const ALWAYS = ["@method", "@authority", "@path", "@query"];

/** Covered where they are sent: how the body is to be read, and its digest. */
const OF_BODY = ["content-type", "content-digest"];

/**
 * Links a credential that is a signature of the message (RFC 9421), labelled `postern`, over all that is sent of what it
 * covers. A signature of the client's ends here: it is of another message, on another way.
 */
export const linkSignatureCredential: CredentialFactory = (plan, upstream, ports) => {
  const signature = plan as SignatureCredentialPlan;
  const { algorithm, keyId, lifetimeSeconds } = signature;
  const sign = linkSigner(signature, upstream, ports);
  const fields = [...new Set([...OF_BODY, ...signature.headers])];
  const end = `${keyId === undefined ? "" : `;keyid="${keyId}"`};alg="${algorithm}";tag="postern"`;
  return async (_exchange, headers, call) => {
    await addDigest(headers, call);
    const created = Math.floor(ports.clock.now() / 1000);
    const times = `;created=${created};expires=${created + lifetimeSeconds}`;
    const components = [...ALWAYS, ...fields.filter((name) => isCovered(headers.get(name)))];
    const base = signatureBase(
      { method: call.method, target: targetOfUrl(call.url), headers },
      components,
      `${times};nonce="${ports.random.uuid()}"${end}`,
    );
    const value = await sign(new TextEncoder().encode(base.text));
    headers.set("signature-input", `postern=${base.params}`);
    headers.set("signature", `postern=:${encodeBase64(value)}:`);
  };
};

/**
 * Whether a field's value can be covered. What is no ASCII reaches no two programs as the same text (RFC 9421 section 2.1);
 * without it in the signature, a service that asks for the field refuses the request.
 */
const isCovered = (value: string | null): boolean => value !== null && /^[\t\x20-\x7e]*$/.test(value);

/** RFC 9530 section 2, where the whole body is known. A client's own digest stays: it is for the service to hold it against the body. */
const addDigest = async (headers: Headers, { body }: Call): Promise<void> => {
  if (!(body instanceof Uint8Array) || headers.has("content-digest")) return;
  const digest = await crypto.subtle.digest("SHA-256", body as Uint8Array<ArrayBuffer>);
  headers.set("content-digest", `sha-256=:${encodeBase64(new Uint8Array(digest))}:`);
};

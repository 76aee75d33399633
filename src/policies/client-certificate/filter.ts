import { type CallerPlan, forwardableOf, identityOf } from "../../core/caller.ts";
import { deleteForwarded, setForwarded } from "../../core/forwarded-fields.ts";
import type { Identity, Verdict } from "../../core/identity.ts";
import type { AuthenticatorFactory } from "../../core/policy.ts";
import { presentedCertificate, type TlsClientAuth } from "./presented.ts";

/** A clientCertificate policy in the plan. */
export type Step = {
  readonly callers: readonly CallerPlan[];
  /** Index of the caller by the fingerprint of its certificate: 64 lower-case hexadecimal digits. */
  readonly fingerprints: Readonly<Record<string, number>>;
  /** Headers for the upstream, and what stands in them: `name`, `plan`, `attributes.x`, or of the certificate. */
  readonly forward: Readonly<Record<string, string>>;
};

const ABSENT: Verdict = { outcome: "absent" };

/** Links the step: knows a caller by the certificate that it showed to Cloudflare's edge. */
export const authenticator: AuthenticatorFactory<Step> = (step, _ports, site) => {
  const { callers, forward } = step;
  const identities = callers.map((caller) => ({ caller, identity: identityOf("clientCertificate", caller) }));
  const known = new Map(Object.entries(step.fingerprints).map(([hex, index]) => [hex, identities[index]!]));
  const challenge = `Certificate realm="${site.gatewayName.replace(/["\\]/g, "\\$&")}"`;
  const refused = (code: string, detail: string): Verdict => ({
    outcome: "refused",
    status: 401,
    code,
    detail,
    challenge,
  });
  return {
    kind: "clientCertificate",
    challenge,
    // What header fields say of certificates ends at the gateway, on every route.
    always: deleteForwarded(forward),
    authenticate: ({ request }) => {
      const shown = presentedCertificate(request);
      if (shown === undefined) return ABSENT;
      if (shown.certVerified !== "SUCCESS" || shown.certRevoked === "1")
        return refused("certificate-invalid", "The certificate could not be verified, or is revoked.");
      const found = known.get(shown.certFingerprintSHA256?.toLowerCase() ?? "");
      return found === undefined
        ? refused("certificate-unknown", "Nobody who may call has this certificate.")
        : passed(found, shown, forward);
    },
  };
};

const passed = (
  { caller, identity }: { readonly caller: CallerPlan; readonly identity: Identity },
  shown: TlsClientAuth,
  forward: Step["forward"],
): Verdict => ({
  outcome: "passed",
  identity,
  edits: setForwarded(forward, {
    ...forwardableOf(caller),
    subject: shown.certSubjectDN || undefined,
    issuer: shown.certIssuerDN || undefined,
    serial: shown.certSerial || undefined,
    fingerprint: shown.certFingerprintSHA256,
  }),
});

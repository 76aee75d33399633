import type { Contribution } from "../../core/contribution.ts";
import { CHALLENGE } from "../../core/described-fields.ts";
import type { Instance } from "../../core/policy.ts";

/** The scheme of client certificates, and their refusals. */
export const describe = ([instance]: readonly Instance<{
  readonly forward: Readonly<Record<string, string>>;
}>[]): Contribution => ({
  security: {
    clientCertificate: {
      scheme: { type: "mutualTLS", description: "A client certificate that is known to the gateway." },
      scopes: [],
    },
  },
  answers: [
    {
      status: 401,
      description: "The certificate is not good here.",
      codes: ["certificate-invalid", "certificate-unknown"],
      fields: CHALLENGE,
    },
  ],
  withheld: { header: Object.keys(instance?.config.forward ?? {}) },
});

import type { CredentialDocument } from "../config/documents/credential.ts";
import type { UpstreamDocument } from "../config/documents/upstream.ts";
import { fault, placeAt } from "../config/tree.ts";
import type { Typed } from "../config/typing.ts";
import type { Path } from "../core/policy.ts";
import type { CredentialPlan, TargetPlan } from "../core/upstream-plan.ts";
import { defined } from "./defined.ts";
import type { Report } from "./ir.ts";

/** What a credential is compiled with. */
export interface CredentialSite {
  /** Name of the gateway: what its tokens give as their issuer. */
  readonly gateway: string;
  /** Declares that a secret must be set when the gateway starts. */
  readonly secret: (name: string) => void;
}

/** Compiles an upstream's credential. Undefined for a certificate: that belongs to the targets. */
export const compileCredential = (
  document: CredentialDocument,
  { gateway, secret }: CredentialSite,
): CredentialPlan | undefined => {
  const named = ({ env }: { readonly env: string }): string => {
    secret(env);
    return env;
  };
  switch (document.kind) {
    case "header": {
      const { header, scheme, value } = document;
      return { kind: "header", header, secret: named(value), ...defined({ scheme }) };
    }
    case "jwt": {
      const { key, algorithm, audience, header, lifetime, keyId } = document;
      return {
        kind: "jwt",
        secret: named(key),
        algorithm,
        header,
        issuer: gateway,
        audience,
        lifetimeSeconds: lifetime,
        ...defined({ keyId }),
      };
    }
    case "signature": {
      const { key, algorithm, headers, lifetime, keyId } = document;
      return {
        kind: "signature",
        secret: named(key),
        algorithm,
        headers: [...new Set(headers)].sort(),
        lifetimeSeconds: lifetime,
        ...defined({ keyId }),
      };
    }
    case "certificate":
      return undefined;
  }
};

/** Gives the upstream's client certificate, where it has one, to its targets; one that cannot be shown it is reported. */
export const certifiedTargets = (
  targets: readonly TargetPlan[],
  { name, value, tree }: Typed<UpstreamDocument>,
  report: Report,
): readonly TargetPlan[] => {
  const { credential, discover } = value;
  if (credential?.kind !== "certificate") return targets;
  const tell = (path: Path, message: string, remedy: string): void =>
    report(fault(placeAt(tree, path, path[0] === "credential"), "conflicting-keys", message, remedy));
  if (discover !== undefined)
    tell(
      ["credential", "certificate"],
      `The targets of "${name}" are discovered: a certificate is shown only to targets that are listed.`,
      "List them under `targets`, or choose a jwt or a signature.",
    );
  for (const target of targets) {
    const at = ["targets", target.name];
    if (target.binding !== undefined)
      tell(
        [...at, "binding"],
        `The target "${target.name}" is reached by a service binding, to which no certificate is shown.`,
        "Give it a `url`, or choose a jwt or a signature.",
      );
    else if (!target.origin.startsWith("https:"))
      tell(
        [...at, "url"],
        `The target "${target.name}" is reached without TLS, where no certificate is shown.`,
        "Write its URL with https, or choose a jwt or a signature.",
      );
  }
  return targets.map((target) => ({ ...target, certificate: credential.binding }));
};

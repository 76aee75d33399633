import type { Plan } from "../core/plan.ts";
import { CommandFailed } from "./failure.ts";
import { localIssuerKey, signingAlgorithm, signToken } from "./local-issuer.ts";
import type { WorkspaceOptions } from "./options.ts";
import { loadIssuers } from "./workspace.ts";

const HOUR_MS = 3_600_000;
/** Whom the example's token speaks of: somebody whom the seeded services know. */
const SUBJECT = "42";

interface TryOptions extends WorkspaceOptions {
  readonly try?: readonly string[];
}

/** Calls that a person can copy as they are, with a token that holds every scope that the policies ask for. */
export const readyMadeCalls = async (options: TryOptions, plan: Plan, url: string): Promise<string> => {
  const issuer = Object.values(await loadIssuers(options)).find(
    ({ jwks }) => jwks !== undefined && "local" in jwks,
  );
  if (issuer === undefined) {
    throw new CommandFailed(
      2,
      "There is no local issuer to make a token with.",
      "Write `jwks: local` for an issuer of this environment, or leave --try out.",
    );
  }
  const { privateJwk } = await localIssuerKey(process.cwd(), signingAlgorithm(issuer));
  const contents = {
    subject: SUBJECT,
    audience: issuer.audiences,
    scopes: scopesOf(plan),
    claims: {},
    expiresInMs: HOUR_MS,
  };
  const token = await signToken(issuer, privateJwk, contents, Date.now());
  const calls = (options.try ?? []).map(
    (path) => `  curl -i -H "authorization: Bearer ${token}" ${url}${path}\n`,
  );
  const { docs } = plan.gateway;
  const page =
    docs === undefined ? "" : `The API on a page, which takes the same token: ${url}${docs.path}\n\n`;
  return `\nTry it, as user ${SUBJECT} and for an hour:\n\n${calls.join("\n")}\n${page}`;
};

/** Every scope that a jwt policy of the plan names. */
const scopesOf = (plan: Plan): readonly string[] => {
  const steps = plan.steps.flatMap(
    ({ step }) =>
      (step as { authenticators?: readonly { step: { scopes?: Record<string, readonly string[]> } }[] })
        .authenticators ?? [],
  );
  return [...new Set(steps.flatMap(({ step }) => Object.values(step.scopes ?? {}).flat()))].sort();
};

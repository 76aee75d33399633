import { type Command, InvalidArgumentError } from "commander";
import { parseDuration } from "../lib/quantities.ts";
import { isSymmetric } from "../policies/jwt/algorithms.ts";
import type { IssuerPlan } from "../policies/jwt/issuer-plan.ts";
import { CommandFailed } from "./failure.ts";
import { localIssuerKey, signingAlgorithm, signToken } from "./local-issuer.ts";
import { type Format, nameValue, type WorkspaceOptions, withFormat, withWorkspace } from "./options.ts";

type LoadIssuers = (options: WorkspaceOptions) => Promise<Record<string, IssuerPlan>>;

interface TokenOptions extends WorkspaceOptions {
  readonly issuer?: string;
  readonly sub: string;
  readonly scope?: readonly string[];
  readonly aud?: readonly string[];
  readonly claim?: Readonly<Record<string, unknown>>;
  readonly expires: number;
  readonly var?: Readonly<Record<string, string>>;
  readonly format: Format;
}

/** `postern token`: prints a token that the gateway of `postern serve` accepts, and nothing else on standard output. */
export const registerToken = (program: Command, loadIssuers: LoadIssuers): void => {
  const command = program
    .command("token")
    .description("make a token for trying the policies on this machine");
  withFormat(withWorkspace(command), ["text", "json"])
    .option("--issuer <name>", "whose token it is; by default the one whose keys are local")
    .option("--sub <subject>", "whom the token speaks of", "developer")
    .option("--scope <scopes>", 'scopes, as in --scope "users.read users.write" (repeat for more)', words)
    .option(
      "--aud <audience>",
      "whom it is meant for; by default all of the issuer's audiences (repeat for more)",
      list,
    )
    .option("--claim <name=value>", "a claim; JSON is taken as such, a repeated name makes a list", claim)
    .option("--expires <duration>", "how long it lives: 30s, 10m, 1h", lifetime, 3_600_000)
    .option("--var <name=value>", "value of a secret that signs (repeat for more)", nameValue)
    .action(async (options: TokenOptions) => {
      const plan = chosenIssuer(await loadIssuers(options), options.issuer);
      const expiresInMs = within(plan, options.expires);
      const contents = {
        subject: options.sub,
        audience: options.aud ?? plan.audiences,
        scopes: options.scope ?? [],
        claims: options.claim ?? {},
        expiresInMs,
      };
      const nowMs = Date.now();
      const token = await signToken(plan, await keyOf(plan, options), contents, nowMs);
      const expires = new Date(nowMs + expiresInMs).toISOString();
      const forMachines = JSON.stringify({ token, issuer: plan.name, expires });
      process.stdout.write(`${options.format === "json" ? forMachines : token}\n`);
    });
};

const list = (text: string, earlier: readonly string[] = []): readonly string[] => [...earlier, text];

const words = (text: string, earlier: readonly string[] = []): readonly string[] => [
  ...earlier,
  ...text.split(/\s+/).filter((word) => word !== ""),
];

/** `name=value`: true, 42, ["a"] and the like are JSON, everything else is text; a name that comes again makes a list. */
const claim = (text: string, earlier: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => {
  const equals = text.indexOf("=");
  if (equals < 1) throw new InvalidArgumentError("Write a claim as name=value: --claim tenant=acme.");
  const name = text.slice(0, equals);
  const value = jsonOrText(text.slice(equals + 1));
  return { ...earlier, [name]: Object.hasOwn(earlier, name) ? [earlier[name], value].flat() : value };
};

const jsonOrText = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

const lifetime = (text: string): number => {
  const ms = parseDuration(text);
  if (ms === undefined || ms < 1000)
    throw new InvalidArgumentError("Write a number with its unit, one second or more: 30s, 10m, 1h.");
  return ms;
};

const isUsable = (plan: IssuerPlan): boolean =>
  plan.secret !== undefined || (plan.jwks !== undefined && "local" in plan.jwks);

const chosenIssuer = (
  issuers: Readonly<Record<string, IssuerPlan>>,
  name: string | undefined,
): IssuerPlan => {
  const names = Object.keys(issuers);
  if (names.length === 0)
    throw new CommandFailed(2, "These policies have no issuer.", "Write who signs tokens under `issuers:`.");
  const named = name === undefined ? undefined : issuers[name];
  if (name !== undefined && named === undefined)
    throw new CommandFailed(2, `There is no issuer "${name}".`, `Name one of ${names.join(", ")}.`);
  const usable = Object.values(issuers).filter(isUsable);
  const local = usable.filter((plan) => plan.secret === undefined);
  const plan = named ?? local[0] ?? usable[0];
  if (plan !== undefined && isUsable(plan)) return plan;
  throw new CommandFailed(
    2,
    plan === undefined
      ? "We can sign for no issuer of these policies: the keys of all of them are elsewhere."
      : `We cannot sign for the issuer "${plan.name}": its keys are elsewhere.`,
    `Write \`issuers: { ${plan?.name ?? names[0]}: { jwks: local } }\` in an environment with \`development: true\`, and name it with --env.`,
  );
};

const within = ({ name, maxLifetimeMs }: IssuerPlan, expiresInMs: number): number => {
  if (maxLifetimeMs !== undefined && expiresInMs > maxLifetimeMs)
    throw new CommandFailed(
      2,
      `A token of "${name}" may live ${maxLifetimeMs / 1000} seconds at most, or the gateway refuses it.`,
      "Shorten --expires.",
    );
  return expiresInMs;
};

/** The secret of the issuer, from the command line or the environment, or the key of the local issuer. */
const keyOf = async (plan: IssuerPlan, options: TokenOptions) => {
  const algorithm = signingAlgorithm(plan);
  if (plan.secret === undefined) return (await localIssuerKey(process.cwd(), algorithm)).privateJwk;
  const secret = options.var?.[plan.secret] ?? process.env[plan.secret];
  const least = Number(algorithm.slice(2)) / 8;
  if (secret === undefined)
    throw new CommandFailed(
      2,
      `The secret ${plan.secret} is not set.`,
      `Give it with --var ${plan.secret}=… or in the environment.`,
    );
  if (isSymmetric(algorithm) && Buffer.byteLength(secret) < least)
    throw new CommandFailed(
      2,
      `The secret ${plan.secret} is too short for ${algorithm}.`,
      `Give one of ${least} bytes or more, as the gateway has it.`,
    );
  return secret;
};

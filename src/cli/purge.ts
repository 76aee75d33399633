import { type Command, InvalidArgumentError } from "commander";
import { CommandFailed } from "./failure.ts";
import { type Format, nameValue, withFormat } from "./options.ts";

interface PurgeOptions {
  readonly gateway: string;
  readonly tokenEnv: string;
  readonly tag?: readonly string[];
  readonly prefix?: readonly string[];
  readonly url?: readonly string[];
  readonly everything?: true;
  readonly var?: Readonly<Record<string, string>>;
  readonly format: Format;
}

/** What the control route answers. */
interface Purged {
  readonly purged: number;
  readonly everywhere: boolean;
  readonly within?: string;
}

/** A request that is not answered in this time failed; the gateway itself waits for two seconds. */
const TIMEOUT_MS = 10_000;

/** `postern purge`: takes stored answers of a running gateway away, by its control route. */
export const registerPurge = (program: Command): void => {
  const command = program
    .command("purge")
    .description("take stored answers of a running gateway away")
    .requiredOption(
      "--gateway <url>",
      "where the gateway answers, such as https://api.example.com",
      gatewayUrl,
    )
    .requiredOption(
      "--token-env <name>",
      "variable of the environment that holds the token of `gateway.control.purgeToken`",
    )
    .option("--tag <tag>", "what has a tag (repeat for more)", list)
    .option(
      "--prefix <url>",
      "what is below a URL, such as https://api.example.com/orders (repeat for more)",
      list,
    )
    .option("--url <url>", "a URL: whatever its query without one, else that one alone (repeat)", list)
    .option("--everything", "all that the gateway has stored")
    .option("--var <name=value>", "the token, in place of the environment", nameValue);
  withFormat(command, ["text", "json"]).action(async (options: PurgeOptions) => {
    const answer = await purge(options, tokenOf(options), wantedOf(options));
    process.stdout.write(options.format === "json" ? `${JSON.stringify(answer)}\n` : `${inWords(answer)}\n`);
  });
};

const list = (text: string, earlier: readonly string[] = []): readonly string[] => [...earlier, text];

const gatewayUrl = (text: string): string => {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "")
    throw new InvalidArgumentError("Write scheme and host: https://api.example.com.");
  return url.origin;
};

const tokenOf = ({ tokenEnv, var: given }: PurgeOptions): string => {
  const token = given?.[tokenEnv] ?? process.env[tokenEnv];
  if (token === undefined || token === "")
    throw new CommandFailed(
      2,
      `The token ${tokenEnv} is not set.`,
      `Set it in the environment, or give it with --var ${tokenEnv}=….`,
    );
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new CommandFailed(
    2,
    `The token ${tokenEnv} cannot be sent.`,
    "Give one of letters, digits and signs, as the gateway has it.",
  );
};

const wantedOf = ({ tag, prefix, url, everything }: PurgeOptions): Readonly<Record<string, unknown>> => {
  const wanted = {
    ...(tag && { tags: tag }),
    ...(prefix && { prefixes: prefix }),
    ...(url && { urls: url }),
    ...(everything && { everything }),
  };
  if (Object.keys(wanted).length > 0) return wanted;
  throw new CommandFailed(
    2,
    "Nothing is said to be purged.",
    "Name at least one of --tag, --prefix, --url and --everything.",
  );
};

const purge = async (
  { gateway, tokenEnv }: PurgeOptions,
  token: string,
  wanted: Readonly<Record<string, unknown>>,
): Promise<Purged> => {
  const response = await fetch(`${gateway}/__postern/purge`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(wanted),
    redirect: "manual",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch(() => undefined);
  if (response === undefined)
    throw new CommandFailed(
      2,
      `${gateway} does not answer.`,
      "See whether the gateway runs there; a purge that was on its way may hold.",
    );
  const answer = (await response.json().catch(() => undefined)) as (Partial<Purged> & Refusal) | undefined;
  if (response.status === 200 && typeof answer?.purged === "number" && typeof answer.everywhere === "boolean")
    return answer as Purged;
  throw refused(response.status, answer, gateway, tokenEnv);
};

interface Refusal {
  readonly code?: unknown;
  readonly errors?: unknown;
}

const refused = (
  status: number,
  answer: Refusal | undefined,
  gateway: string,
  tokenEnv: string,
): CommandFailed => {
  if (status === 503 && answer?.code === "purge-not-told")
    return new CommandFailed(
      2,
      "The purge holds in one isolate alone: Redis, by which the others learn of it, does not answer.",
      "Ask again once Redis is back.",
    );
  if (answer?.code === "malformed-purge")
    return new CommandFailed(
      2,
      "The gateway refuses what is to be purged, and has purged nothing.",
      faultsOf(answer),
    );
  if (answer?.code === "body-too-large")
    return new CommandFailed(2, "These are too many scopes for one request.", "Purge them in several steps.");
  // Whoever has no token is told no more than that nothing is there, whatever a route of the gateway makes of it.
  if (status === 404 || status === 401 || status === 405)
    return new CommandFailed(
      2,
      `${gateway} does not purge for this token, or not at all (${status}).`,
      `See whether ${tokenEnv} holds the token that \`gateway: { control: { purgeToken: { env: … } } }\` names, and whether that is deployed.`,
    );
  return new CommandFailed(
    2,
    `${gateway} answered ${status}, and not as a gateway that purges.`,
    "See whether the gateway runs there.",
  );
};

/** What is wrong, by the names of the options. */
const faultsOf = ({ errors }: Refusal): string => {
  const faults = Array.isArray(errors) ? (errors as { pointer?: unknown; detail?: unknown }[]) : [];
  const lines = faults.map(({ pointer, detail }) => `${optionOf(String(pointer))}${String(detail)}`);
  return lines.join("\n  ");
};

const OPTIONS: Readonly<Record<string, string>> = { tags: "--tag", prefixes: "--prefix", urls: "--url" };

const optionOf = (pointer: string): string => {
  const [, name = "", index = ""] = pointer.split("/");
  const option = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
  return option === undefined ? "" : `${option} (number ${Number(index) + 1}): `;
};

const inWords = ({ purged, everywhere, within }: Purged): string => {
  const what = `Purged ${purged} ${purged === 1 ? "scope" : "scopes"}`;
  return everywhere
    ? `${what}: at once where it was asked, everywhere within ${within}.`
    : `${what} in the isolate that answered alone: the gateway names no Redis by which others learn of it.`;
};

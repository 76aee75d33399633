import { type Command, InvalidArgumentError } from "commander";
import { describing } from "./describing.ts";
import { CommandFailed } from "./failure.ts";
import { startMocking } from "./mocking.ts";
import { nameValue, type WorkspaceOptions, withWorkspace } from "./options.ts";
import { readyMadeCalls } from "./ready-made-calls.ts";
import { Serving } from "./serving.ts";
import { type Watching, watchPolicies } from "./watch.ts";
import { planOf } from "./workspace.ts";

export interface ServeOptions extends WorkspaceOptions {
  readonly port: number;
  readonly host: string;
  readonly var?: Readonly<Record<string, string>>;
  readonly binding?: Readonly<Record<string, string>>;
  readonly certificate?: Readonly<Record<string, string>>;
  readonly edgeCache?: string;
  readonly mock?: boolean;
  readonly watch?: boolean;
  readonly try?: readonly string[];
}

/** `postern serve`: compiles, and runs the production bundle on plain workerd until it is told to end. */
export const registerServe = (program: Command): void => {
  const command = program.command("serve").description("run the policies on this machine, on plain workerd");
  withWorkspace(command)
    .option("--port <number>", "port to listen on", portNumber, 8787)
    .option("--host <address>", "address to listen on", hostAddress, "127.0.0.1")
    .option("--var <name=value>", "value of a secret (repeat for more)", nameValue)
    .option(
      "--binding <name=address>",
      "where the Worker behind a service binding runs (repeat for more)",
      nameValue,
    )
    .option(
      "--certificate <name=file>",
      "PEM file of the client certificate behind a binding, with its key (repeat for more)",
      nameValue,
    )
    .option(
      "--edge-cache <address>",
      "where a cache that serves workerd's Cache API runs; without, the tier `edge` stores nothing",
    )
    .option(
      "--mock",
      "answer from the examples and schemas of the OpenAPI documents in place of all services",
    )
    .option("--watch", "reload when a policy changes; a wrong one leaves the last good one running")
    .option(
      "--try <path>",
      "print a ready-made call of this path, with a token of the local issuer (repeat for more)",
      paths,
    )
    .action((options: ServeOptions) => serve(options));
};

const paths = (text: string, earlier: readonly string[] = []): readonly string[] => [...earlier, text];

/** An IPv6 address stands in brackets before a port. */
const hostAddress = (text: string): string =>
  text.includes(":") && !text.startsWith("[") ? `[${text}]` : text;

const portNumber = (text: string): number => {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new InvalidArgumentError("A port is a number from 1 to 65535.");
  return port;
};

/**
 * Serves until SIGTERM or SIGINT; prints one line when requests are answered. A signal that comes again changes nothing:
 * a terminal and a launcher send the same one twice, and ending takes ten seconds at most.
 */
const serve = async (options: ServeOptions): Promise<void> => {
  const mocking = options.mock ? await startMocking() : undefined;
  const read = mocking?.planOf ?? planOf;
  const serving = new Serving({
    host: options.host,
    port: options.port,
    vars: options.var ?? {},
    bindings: { ...options.binding, ...mocking?.bindings },
    certificates: options.certificate ?? {},
    ...(options.edgeCache !== undefined && { edgeCache: options.edgeCache }),
    describe: describing(options),
    project: process.cwd(),
  });
  const end = new Promise<CommandFailed | undefined>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const)
      process.on(signal, () => resolve(undefined));
    // A terminal's signals reach what we started as well, and it may be the first to end.
    serving.onEnd((code, signal) =>
      resolve(signal === "SIGINT" || signal === "SIGHUP" ? undefined : endedByItself(signal ?? code)),
    );
  });
  let watching: Watching | undefined;
  try {
    if (options.watch) watching = await watchPolicies(options, serving, read);
    const plan = await read(options);
    const started = serving.serve(plan).then(() => true);
    if (await Promise.race([started, end.then(() => false)])) {
      const url = `http://${options.host}:${options.port}`;
      process.stdout.write(`postern is ready on ${url}\n`);
      if (options.try !== undefined) process.stdout.write(await readyMadeCalls(options, plan, url));
      watching?.begin();
      await end;
    } else await started.catch(() => false);
  } finally {
    await watching?.stop();
    await serving.stop();
    await mocking?.stop();
  }
  const failure = await end;
  if (failure !== undefined) throw failure;
};

const endedByItself = (how: NodeJS.Signals | number | null): CommandFailed =>
  new CommandFailed(
    2,
    `The gateway ended by itself (${how}).`,
    "Start it again; its last words, if it had any, stand above.",
  );

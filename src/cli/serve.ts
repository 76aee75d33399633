import { type Command, InvalidArgumentError } from "commander";
import { CommandFailed } from "./failure.ts";
import { nameValue, type WorkspaceOptions, withWorkspace } from "./options.ts";
import { readyMadeCalls } from "./ready-made-calls.ts";
import { Serving } from "./serving.ts";
import { watchPolicies } from "./watch.ts";
import { planOf } from "./workspace.ts";

export interface ServeOptions extends WorkspaceOptions {
  readonly port: number;
  readonly host: string;
  readonly var?: Readonly<Record<string, string>>;
  readonly binding?: Readonly<Record<string, string>>;
  readonly watch?: boolean;
  readonly try?: readonly string[];
}

/** `postern serve`: compiles, and runs the production bundle on plain workerd until it is told to end. */
export const registerServe = (program: Command): void => {
  const command = program.command("serve").description("run the policies on this machine, on plain workerd");
  withWorkspace(command)
    .option("--port <number>", "port to listen on", portNumber, 8787)
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--var <name=value>", "value of a secret (repeat for more)", nameValue)
    .option(
      "--binding <name=address>",
      "where the Worker behind a service binding runs (repeat for more)",
      nameValue,
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

const portNumber = (text: string): number => {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new InvalidArgumentError("A port is a number from 1 to 65535.");
  return port;
};

/** Serves until SIGTERM or SIGINT; prints one line when requests are answered. */
const serve = async (options: ServeOptions): Promise<void> => {
  const serving = new Serving({
    host: options.host,
    port: options.port,
    vars: options.var ?? {},
    bindings: options.binding ?? {},
    project: process.cwd(),
  });
  let failure: CommandFailed | undefined;
  const end = new Promise<void>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.once(signal, resolve);
    serving.onEnd((code) => {
      failure = new CommandFailed(2, `The gateway ended by itself (${code ?? "killed"}).`);
      resolve();
    });
  });
  try {
    const plan = await planOf(options);
    const started = serving.serve(plan).then(() => true);
    if (await Promise.race([started, end.then(() => false)])) {
      const url = `http://${options.host}:${options.port}`;
      process.stdout.write(`postern is ready on ${url}\n`);
      if (options.try !== undefined) process.stdout.write(await readyMadeCalls(options, plan, url));
      const stopWatching = options.watch ? await watchPolicies(options, serving) : undefined;
      await end;
      await stopWatching?.();
    } else await started.catch(() => false);
  } finally {
    await serving.stop();
  }
  if (failure !== undefined) throw failure;
};

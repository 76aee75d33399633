import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";

/**
 * CPU time that a process and its threads have used, in microseconds: from the scheduler's own count in nanoseconds where
 * the kernel has it, else from the hundredths of a second in `stat`.
 */
export const cpuMicros = (pid: number): number => {
  try {
    let nanos = 0;
    for (const thread of readdirSync(`/proc/${pid}/task`))
      nanos += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
    if (nanos > 0) return nanos / 1000;
  } catch {
    // Without schedstat the coarse count serves.
  }
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
};

/** CPU time that everything on this machine has used, in microseconds; its clock ticks a hundred times a second. */
export const machineMicros = (): number => {
  const [user, nice, system, , , interrupts, soft, stolen] = readFileSync("/proc/stat", "utf8")
    .split("\n", 1)[0]!
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user! + nice! + system! + interrupts! + soft! + stolen!) * 10_000;
};

/** Ends every process that this one started and that still runs, each by its id. */
export const endChildren = (): void => {
  for (const thread of readdirSync("/proc/self/task")) {
    const children = readFileSync(`/proc/self/task/${thread}/children`, "utf8").split(" ");
    for (const pid of children.filter((text) => text.trim() !== "")) {
      try {
        process.kill(Number(pid), "SIGKILL");
      } catch {
        // It has just ended by itself.
      }
    }
  }
};

/** Sees to it that nothing stays behind, however this process ends. */
export const endChildrenWithUs = (): void => {
  process.on("exit", endChildren);
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)
    process.on(signal, () => process.exit(code));
};

/** Starts a Node script that prints its port. */
export const startScript = async (file: string): Promise<{ port: number; process: ChildProcess }> => {
  const child = spawn(process.execPath, [file], { stdio: ["pipe", "pipe", "inherit"] });
  const port = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${file} ended with ${code}`)));
    child.stdout.once("data", (data: Buffer) => resolve(Number(data.toString())));
  });
  return { port, process: child };
};

/** Ends a process and waits until it is gone. */
export const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
};

/** Sends a request again and again until something is answered; answers its status line. Looks every millisecond. */
export const firstAnswer = async (port: number, request: Buffer): Promise<string> => {
  for (let tries = 0; tries < 10_000; tries++) {
    const answer = await ask(port, request);
    if (answer !== undefined) return answer.slice(0, answer.indexOf("\r\n"));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error(`nothing answers on port ${port}`);
};

const ask = (port: number, request: Buffer): Promise<string | undefined> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true }, () => socket.write(request));
    socket.once("data", (data) => {
      resolve(data.toString("latin1"));
      socket.destroy();
    });
    socket.once("error", () => resolve(undefined));
    socket.once("close", () => resolve(undefined));
  });

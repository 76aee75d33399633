import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";

/** Processes that a process started and that still run, and theirs. */
export const descendants = (pid: number): readonly number[] => {
  const children = processes().filter(({ parent }) => parent === pid);
  return children.flatMap((child) => [child.pid, ...descendants(child.pid)]);
};

const processes = (): readonly { readonly pid: number; readonly parent: number }[] =>
  readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return state === "Z" ? [] : [{ pid: Number(name), parent: Number(parent) }];
    } catch {
      return [];
    }
  });

/** Whether a process still runs. */
export const isAlive = (pid: number): boolean => processes().some((it) => it.pid === pid);

/** The workerd that runs the gateway of a `postern serve`: the one that it started itself. */
export const workerdOf = (pid: number): number => {
  const found = processes().filter(
    ({ pid: child, parent }) => parent === pid && programOf(child) === "workerd",
  );
  if (found.length !== 1) throw new Error(`${found.length} workerd processes below ${pid}`);
  return found[0]!.pid;
};

const programOf = (pid: number): string => {
  try {
    return path.basename(readlinkSync(`/proc/${pid}/exe`));
  } catch {
    return "";
  }
};

/** Open file descriptors of a process. */
export const openFiles = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

/** Resident memory of a process in MiB. */
export const residentMib = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))![1]) / 1024;

/** Ports on which a process listens (IPv4). */
export const listeningPorts = (pid: number): readonly number[] => {
  const sockets = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      } catch {
        return undefined;
      }
    }),
  );
  const lines = readFileSync(`/proc/${pid}/net/tcp`, "latin1").trim().split("\n").slice(1);
  return lines.flatMap((line) => {
    const [, local = "", , state, , , , , , inode] = line.trim().split(/\s+/);
    return state === "0A" && sockets.has(inode) ? [Number.parseInt(local.split(":")[1]!, 16)] : [];
  });
};

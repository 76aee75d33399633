import type { ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp, readFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { writeBundle } from "../../src/adapters/node/bundle.ts";
import { startRedisOverHttp } from "../support/redis/rest.ts";
import { isRedisInstalled } from "../support/redis/server.ts";
import { type Effort, measure } from "./measure.ts";
import { fetching } from "./plain-workers.ts";
import { end, endChildrenWithUs, startScript } from "./processes.ts";
import { type Running, type Stores, start } from "./running.ts";
import { barePlan, fullPlan, type Scenario, type Site, scenarios } from "./scenarios.ts";
import { plainStartMs, startMs } from "./start-time.ts";
import { costTable, type Fact, factTable } from "./table.ts";
import { type BenchIssuer, makeIssuer } from "./tokens.ts";

const USAGE = `node test/bench/run.ts [--rounds N] [--requests N] [--only a,b]

Measures what a request costs a gateway in CPU time, against plain Workers in the same run, on plain workerd.
  --rounds    how often each scenario is measured; the median of the calmer half counts (default 30)
  --requests  requests of one scenario in one round (default 600)
  --only      names of scenarios, and start and size; what they are compared to is measured with them
`;

const CONNECTIONS = 4;
const STARTS = 5;
const START_AIM_MS = 45;
const SIZE_AIM_KIB = 30;

const main = async (): Promise<void> => {
  // Each gateway that runs listens for our end.
  process.setMaxListeners(32);
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "30" },
      requests: { type: "string", default: "600" },
      only: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  if (process.platform !== "linux") throw new Error("CPU times are read from /proc, which only Linux has");
  const effort = {
    rounds: natural(values.rounds),
    requests: natural(values.requests),
    connections: CONNECTIONS,
  };
  endChildrenWithUs();
  const folder = await mkdtemp(path.join(os.tmpdir(), "postern-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const upstream = await startScript(path.join(import.meta.dirname, "upstream.ts"));
  const issuer = makeIssuer();
  const cache = await startScript(path.join(import.meta.dirname, "../support/cache-service.ts"));
  const redis = isRedisInstalled() ? await startRedisOverHttp() : undefined;
  const site = { upstream: upstream.port, publicJwk: issuer.publicJwk, redis: redis !== undefined };
  const stores = { edgeCache: `127.0.0.1:${cache.port}`, redis };
  const wanted = values.only?.split(",");
  await costs({ site, issuer, upstream: upstream.process, folder, stores }, effort, wanted);
  await redis?.stop();
  const facts = await startsAndSizes(site, folder, wanted);
  if (facts.length > 0) process.stdout.write(`\n${factTable(facts)}`);
};

const natural = (text: string): number => {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`"${text}" is not a whole number above 0`);
};

interface Place {
  readonly site: Site;
  readonly issuer: BenchIssuer;
  readonly upstream: ChildProcess;
  readonly folder: string;
  readonly stores: Stores;
}

const costs = async (
  { site, issuer, upstream, folder, stores }: Place,
  effort: Effort,
  wanted: readonly string[] | undefined,
): Promise<void> => {
  const chosen = choose(scenarios(site), wanted);
  if (chosen.length === 0) return;
  const running: Running[] = [];
  for (const scenario of chosen) {
    tell(`starting ${scenario.name}`);
    running.push(await start(scenario, folder, site.upstream, stores));
  }
  const measured = await measure({ running, upstream, issuer }, effort, tell);
  for (const one of running) await end(one.process);
  tell("");
  process.stdout.write(costTable(chosen, measured));
};

/** The scenarios that are wanted, and those that they are compared to. */
const choose = (all: readonly Scenario[], wanted: readonly string[] | undefined): readonly Scenario[] => {
  if (wanted === undefined) return all;
  const unknown = wanted.filter(
    (name) => !["start", "size"].includes(name) && !all.some((scenario) => scenario.name === name),
  );
  if (unknown.length > 0) throw new Error(`there is no scenario ${unknown.join(", ")}`);
  const needed = new Set(wanted);
  for (const { name, reference } of all.toReversed())
    if (needed.has(name) && reference !== undefined) needed.add(reference);
  return all.filter(({ name }) => needed.has(name));
};

const startsAndSizes = async (
  site: Site,
  folder: string,
  wanted: readonly string[] | undefined,
): Promise<Fact[]> => {
  const facts: Fact[] = [];
  const own = (name: string): string => path.join(folder, name);
  if (wanted === undefined || wanted.includes("start")) {
    tell("starting again and again");
    const plain = await plainStartMs(fetching(site.upstream), own("start-plain"), site.upstream, STARTS);
    const one = await startMs(barePlan(site), own("start-one"), STARTS);
    const many = await startMs(barePlan(site, 1000), own("start-many"), STARTS);
    facts.push(
      { title: "first answer, a Worker that fetches", value: plain, unit: "ms" },
      { title: "first answer, one route", value: one, unit: "ms" },
      { title: "first answer, 1,000 routes", value: many, unit: "ms", aim: START_AIM_MS },
    );
  }
  if (wanted === undefined || wanted.includes("size")) {
    tell("bundling");
    facts.push(
      {
        title: "bundle, gzip, no policy",
        value: await sizeKib(barePlan(site), own("size-bare")),
        unit: "KiB",
      },
      {
        title: "bundle, gzip, the whole stack",
        value: await sizeKib(fullPlan(site, false), own("size-full")),
        unit: "KiB",
        aim: SIZE_AIM_KIB,
      },
    );
  }
  tell("");
  return facts;
};

const sizeKib = async (plan: Parameters<typeof writeBundle>[0], folder: string): Promise<number> => {
  const { worker } = await writeBundle(plan, folder);
  return gzipSync(await readFile(worker), { level: 9 }).length / 1024;
};

/** Says on one line of a terminal what is under way. */
const tell = (text: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
};

try {
  await main();
  process.exit();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

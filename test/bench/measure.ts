import type { ChildProcess } from "node:child_process";
import { Client, type Request } from "./load.ts";
import { requestBytes, TARGET } from "./policies.ts";
import { cpuMicros, machineMicros } from "./processes.ts";
import type { Running } from "./running.ts";
import type { Scenario } from "./scenarios.ts";
import type { BenchIssuer } from "./tokens.ts";

export interface Effort {
  readonly rounds: number;
  /** Requests of one scenario in one round. */
  readonly requests: number;
  readonly connections: number;
}

/** CPU microseconds a request, by scenario and round. */
export type Costs = ReadonlyMap<string, readonly number[]>;

/** Requests of each scenario before anything counts: until then V8 is still compiling. */
const WARM_UP = 6000;
/** Of tokens that each take a signature there are fewer. */
const MOST_NEW_TOKENS = 300;
const IN_TURN = 5000;
const SETTLE_MS = 5;

/** What is measured, and what else runs on our account. */
export interface Bench {
  readonly running: readonly Running[];
  readonly upstream: ChildProcess;
  readonly issuer: BenchIssuer;
}

/**
 * Measures all scenarios in each round, one after the other and each time beginning with another, so that what the machine
 * does beside it meets all of them alike. Many short rounds tell more than a few long ones: a disturbance falls into few. Of
 * all rounds, the half in which others used the machine least is answered.
 */
export const measure = async (
  { running, upstream, issuer }: Bench,
  { rounds, requests, connections }: Effort,
  tell: (text: string) => void,
): Promise<Costs> => {
  const clients = running.map(({ port }) => new Client(port, connections));
  const source = await requestSource(running, issuer);
  const exchange = async (at: number, wanted: number): Promise<number> => {
    const { scenario, process: gateway } = running[at]!;
    const count = scenario.tokens === "new" ? Math.min(wanted, MOST_NEW_TOKENS) : wanted;
    const request = await source(scenario, count);
    const before = cpuMicros(gateway.pid!);
    await clients[at]!.send(request, count).catch((error: Error) => {
      throw new Error(`${scenario.name}: ${error.message}`);
    });
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    return (cpuMicros(gateway.pid!) - before) / count;
  };
  for (const [at, { scenario }] of running.entries()) {
    tell(`warming up ${scenario.name}`);
    await exchange(at, WARM_UP);
  }
  const foreign = foreignCpu([...running.map(({ process }) => process), upstream]);
  const measured: { readonly costs: number[]; readonly disturbance: number }[] = [];
  for (let round = 1; round <= rounds; round++) {
    tell(`round ${round} of ${rounds}`);
    const costs: number[] = [];
    const before = foreign();
    for (let turn = 0; turn < running.length; turn++) {
      const at = (turn + round) % running.length;
      costs[at] = await exchange(at, requests);
    }
    measured.push({ costs, disturbance: foreign() - before });
  }
  for (const client of clients) client.close();
  const calm = measured
    .sort((one, other) => one.disturbance - other.disturbance)
    .slice(0, Math.ceil(rounds / 2));
  return new Map(running.map(({ scenario }, at) => [scenario.name, calm.map(({ costs }) => costs[at]!)]));
};

/** CPU time that neither we nor what we started have used. */
const foreignCpu =
  (own: readonly ChildProcess[]): (() => number) =>
  () => {
    const { user, system } = process.cpuUsage();
    const ours = own.reduce((sum, { pid }) => sum + cpuMicros(pid!), user + system);
    return machineMicros() - ours;
  };

type RequestSource = (scenario: Scenario, count: number) => Promise<Request>;

/** Makes requests by the tokens that they carry; those in turn go on where the last round ended. */
const requestSource = async (running: readonly Running[], issuer: BenchIssuer): Promise<RequestSource> => {
  const [token] = await issuer.tokens(1, "same");
  const same = requestBytes(token!);
  const inTurn = running.some(({ scenario }) => scenario.tokens === "in-turn")
    ? (await issuer.tokens(IN_TURN, "turn")).map((one) => requestBytes(one))
    : [];
  let turned = 0;
  let batch = 0;
  let targets = 0;
  const posted = requestBytes(token!, TARGET, "POST");
  return async ({ tokens = "same", newTargets, posts }, count) => {
    if (posts) return () => posted;
    if (newTargets) {
      const from = targets;
      targets += count;
      return (index) => requestBytes(token!, `${TARGET}&n=${from + index}`);
    }
    if (tokens === "same") return () => same;
    if (tokens === "in-turn") {
      const from = turned;
      turned += count;
      return (index) => inTurn[(from + index) % IN_TURN]!;
    }
    const fresh = (await issuer.tokens(count, `new-${batch++}`)).map((one) => requestBytes(one));
    return (index) => fresh[index]!;
  };
};

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

import { randomUUID } from "node:crypto";
import { request as send } from "node:http";
import { type Answer, distributionFaults, type Fault, faultsOf } from "./judge.ts";
import { type Backends, CASE_FIELD, type Echo, joinedFields } from "./origins.ts";
import type { Case, SuiteTest } from "./suite.ts";
import { ownHost } from "./translate.ts";

export interface TrialSite {
  readonly port: number;
  readonly backends: Backends;
}

export interface Verdict {
  readonly answers: readonly Answer[];
  /** Nothing where the case holds. */
  readonly faults: readonly Fault[];
}

/** Tries a case; one about shares of chance as often as it allows. */
export const tryCase = async (it: Case, test: SuiteTest, site: TrialSite): Promise<Verdict> => {
  const { attempts, mirror_tolerance: tolerance } = it.expect;
  let left = attempts ?? (tolerance === undefined ? 1 : 5);
  for (;;) {
    const verdict = await tryOnce(it, test, site);
    const byChance = verdict.faults.every(({ of }) => /^(?:share of|mirrored to) /.test(of));
    if (verdict.faults.length === 0 || !byChance || --left === 0) return verdict;
  }
};

/** Sends a case's request as often as it says, and judges what came of it. */
const tryOnce = async (it: Case, test: SuiteTest, site: TrialSite): Promise<Verdict> => {
  const mark = randomUUID();
  const answers: Answer[] = [];
  const times = it.repeat ?? it.expect.repeat ?? 1;
  for (let index = 0; index < times; index++) {
    const answer = await ask(it, test, site.port, mark);
    answers.push(answer);
    const faults = faultsOf(it, answer);
    if (faults.length > 0) return { answers, faults };
  }
  const faults = [...distributionFaults(it.expect, answers), ...(await mirrorFaults(it, times, mark, site))];
  return { answers, faults };
};

const ask = (it: Case, test: SuiteTest, port: number, mark: string): Promise<Answer> => {
  const { method, host = ownHost(test), path, headers } = it.request;
  const wished = Object.entries(it.backend_sets_response_headers ?? {});
  return new Promise((resolve, reject) => {
    const outgoing = send({
      port,
      host: "127.0.0.1",
      method,
      path: path.replaceAll("{unique}", randomUUID()),
      setHost: false,
      headers: {
        Host: host,
        ...headers,
        ...(wished.length > 0 && {
          "X-Echo-Set-Header": wished.map(([name, value]) => `${name}:${value}`).join(","),
        }),
        [CASE_FIELD]: mark,
      },
    });
    outgoing.once("error", reject);
    outgoing.once("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () =>
        resolve({
          status: response.statusCode!,
          fields: joinedFields(response.rawHeaders),
          echo: echoIn(Buffer.concat(chunks).toString("utf8")),
        }),
      );
    });
    outgoing.end();
  });
};

/** An origin's echo; the gateway's own answers have none. */
const echoIn = (text: string): Echo | undefined => {
  if (!text.startsWith("{")) return undefined;
  const json = JSON.parse(text) as Partial<Echo>;
  return json.backend === undefined ? undefined : (json as Echo);
};

/** Mirrored requests may come after the answer. */
const PATIENCE_MS = 2000;

const mirrorFaults = async (
  it: Case,
  times: number,
  mark: string,
  { backends }: TrialSite,
): Promise<Fault[]> => {
  const faults: Fault[] = [];
  for (const { backend, percent = 100 } of it.expect.mirrored_to ?? []) {
    const share = percent / 100;
    const wanted = times * share;
    const tolerance = 3 * Math.sqrt(times * share * (1 - share));
    const holds = (): boolean => Math.abs(backends.count(backend, mark) - wanted) <= tolerance;
    for (const end = Date.now() + PATIENCE_MS; !holds() && Date.now() < end; )
      await new Promise((resolve) => setTimeout(resolve, 10));
    if (!holds())
      faults.push({
        of: `mirrored to ${backend}`,
        wanted: String(wanted),
        got: String(backends.count(backend, mark)),
      });
  }
  return faults;
};

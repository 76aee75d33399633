import { type ClientRequest, type IncomingMessage, request as open } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Case, Field, Turn } from "./case.ts";
import { type Answer, play, type Send } from "./judge.ts";
import type { ScriptedOrigin } from "./origin.ts";
import { textOf } from "./script.ts";

const once = (url: string, turn: Turn, number: number, previous: Answer | undefined): Promise<Answer> => {
  const nowMs = Number(previous?.headers.get("origin-now") ?? Date.now());
  const asked = (turn.ask ?? []).flatMap((field) => [field[0], textOf(field, nowMs, turn.rfc850)]);
  const target = new URL(
    `${url}${turn.at === undefined ? "" : `/${turn.at}`}${turn.query === undefined ? "" : `?${turn.query}`}`,
  );
  const length = turn.body === undefined ? [] : ["content-length", String(turn.body.length)];
  return new Promise((resolve, reject) => {
    const interim: number[] = [];
    const request: ClientRequest = open(
      target,
      {
        method: turn.method ?? "GET",
        headers: ["host", "api.example.com", "turn", String(number), ...length, ...asked],
        agent: false,
      },
      (response: IncomingMessage) => {
        const chunks: Buffer[] = [];
        response.on("error", reject);
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const headers = new Headers();
          const raw = response.rawHeaders;
          for (let at = 0; at < raw.length; at += 2) headers.append(raw[at]!, raw[at + 1]!);
          resolve({ status: response.statusCode!, headers, text: Buffer.concat(chunks).toString(), interim });
        });
      },
    );
    request.on("information", ({ statusCode }) => interim.push(statusCode));
    request.on("error", reject);
    request.end(turn.body);
  });
};

/** How many cases are played at a time, and what has to be waited for between two turns of one. */
export interface PlayOptions {
  readonly atOnce?: number;
  /** Fields that every request has. */
  readonly ask?: readonly Field[];
  /** Called before each turn of a case; what it answers is called with the answer's Cache-Status. */
  readonly watch?: (name: string) => (cacheStatus: string) => Promise<void>;
}

/** Plays many cases over HTTP through a route of a gateway; their failures by name. */
export const playAll = async (
  origin: ScriptedOrigin,
  route: string,
  cases: readonly Case[],
  { atOnce = 48, ask = [], watch }: PlayOptions = {},
): Promise<ReadonlyMap<string, string>> => {
  const failures = new Map<string, string>();
  const left = [...cases];
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const name = crypto.randomUUID();
      origin.expect(name, next);
      const send: Send = async (turn, number, previous) => {
        const atRest = watch?.(name);
        const asked = { ...turn, ask: [...ask, ...(turn.ask ?? [])] };
        const answer = await once(`${route}/${name}`, asked, number, previous);
        await atRest?.(answer.headers.get("cache-status") ?? "");
        return answer;
      };
      const failure = await play(name, next, send, sleep, () => origin.got(name));
      if (failure !== undefined) failures.set(next.id, failure);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return failures;
};

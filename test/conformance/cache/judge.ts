import type { Case, Shown, Turn } from "./case.ts";
import { type Got, textOf } from "./script.ts";

/** What a client saw of one turn. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly interim: readonly number[];
}

const PAUSE_MS = 3000;

const assert = (holds: boolean, otherwise: string): void => {
  if (!holds) throw new Error(otherwise);
};

const checkShown = (headers: Headers, shown: Shown, at: string): void => {
  const name = typeof shown === "string" ? shown : shown[0];
  const value = headers.get(name);
  assert(value !== null, `${at} has no ${name}`);
  if (typeof shown === "string") return;
  if (shown.length === 2) {
    const wanted = textOf(shown, Number(headers.get("origin-now")));
    assert(value === wanted, `${at} has ${name}: ${value}, not ${wanted}`);
  } else {
    const fits = shown[1] === ">" ? Number(value) > shown[2] : shown[2].test(value!);
    assert(fits, `${at} has ${name}: ${value}, not ${shown[1]} ${shown[2]}`);
  }
};

const checkAnswer = (turn: Turn, number: number, answer: Answer, name: string): void => {
  const at = `answer ${number}`;
  const { headers, status } = answer;
  const numbers = (headers.get("request-numbers") ?? "").split(" ");
  assert(new Set(numbers).size === numbers.length, `turn asked twice: ${numbers.join(" ")}`);
  const came = Number(headers.get("client-request-count") ?? Number.NaN);
  const count = Number(headers.get("request-count") ?? Number.NaN);
  if (turn.from === "cache")
    assert(count < number || (status === 304 && Number.isNaN(count)), `${at} is not from the cache`);
  if (turn.from === "origin") assert(came === number, `${at} is from the cache`);
  const wanted = turn.sees === undefined ? (turn.status ?? 200) : turn.sees;
  assert(wanted === null || status === wanted, `${at} has status ${status}, not ${wanted}`);
  for (const shown of turn.shows ?? []) checkShown(headers, shown, at);
  for (const hidden of turn.hides ?? [])
    assert(!headers.has(hidden), `${at} has ${hidden}: ${headers.get(hidden)}`);
  const expected = turn.reads === undefined ? (turn.text ?? name) : turn.reads;
  const empty = turn.method === "HEAD" || status === 204 || status === 304;
  if (expected !== null && !empty)
    assert(answer.text === expected, `${at} reads "${answer.text.slice(0, 60)}"`);
  for (const [informed] of turn.interim ?? [])
    assert(answer.interim.includes(informed), `${at} came without ${informed}`);
};

const checkGot = (turns: readonly Turn[], answers: readonly Answer[], got: readonly Got[]): void => {
  let at = 0;
  for (const [index, turn] of turns.entries()) {
    if (turn.from === "cache") continue;
    const request = got[at++];
    const number = index + 1;
    const validator = { etag: "if-none-match", "last-modified": "if-modified-since" }[turn.from as "etag"];
    if (validator !== undefined) {
      assert(request?.fields[validator] !== undefined, `request ${number} has no ${validator}`);
    }
    if (request === undefined) continue;
    for (const field of turn.sends ?? []) {
      const value = request.fields[typeof field === "string" ? field : field[0]];
      const right = typeof field === "string" ? value !== undefined : value === field[1];
      assert(right, `request ${number} has ${field} as ${value}`);
    }
    for (const field of turn.sendsNot ?? [])
      assert(request.fields[field] === undefined, `request ${number} has ${field}`);
    if (turn.sentAs !== undefined)
      assert(request.method === turn.sentAs, `request ${number} is a ${request.method}`);
    const joined = new Map<string, string>();
    for (const [name, value] of request.answered) {
      const key = name.toLowerCase();
      joined.set(key, joined.has(key) ? `${joined.get(key)}, ${value}` : value);
    }
    for (const [name, value] of joined) {
      if (name === "date") continue;
      const received = answers[index]!.headers.get(name);
      assert(received === value, `answer ${number} has ${name}: ${received}, not ${value}`);
    }
  }
};

/** Sends the request of a turn; `previous` is the answer before it. */
export type Send = (turn: Turn, number: number, previous: Answer | undefined) => Promise<Answer>;

/** Plays a case; answers why it failed, or undefined. */
export const play = async (
  name: string,
  { turns }: Case,
  send: Send,
  pause: (ms: number) => Promise<unknown>,
  got: () => readonly Got[],
): Promise<string | undefined> => {
  const answers: Answer[] = [];
  try {
    for (const [index, turn] of turns.entries()) {
      const answer = await send(turn, index + 1, answers.at(-1));
      answers.push(answer);
      checkAnswer(turn, index + 1, answer, name);
      if (turn.pause) await pause(PAUSE_MS);
    }
    checkGot(turns, answers, got());
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

import type { Cache, Ports } from "../../../src/core/ports.ts";
import type { Step } from "../../../src/policies/cache/filter.ts";
import { caller, Gateway } from "../../policies/cache/harness.ts";
import { MemoryStore } from "../../support/memory-store.ts";
import { FakeClock } from "../../support/ports.ts";
import type { Case } from "./case.ts";
import { type Answer, play, type Send } from "./judge.ts";
import { Script, textOf } from "./script.ts";

/** The tiers that the cases are played with: each alone, and all together. */
export const TIERS = {
  isolate: ["isolate"],
  edge: ["edge"],
  redis: ["redis"],
  "all tiers": ["edge", "isolate", "redis"],
} as const;

/** What a connection does, and not a cache. */
export const isOfWire = ({ id }: Case): boolean =>
  id.startsWith("interim-") ||
  id.startsWith("headers-store-") ||
  id === "304-etag-update-response-Content-Length";

/** Rules and best practices that stay unmet, with their reasons in test/e2e/cache-suite.test.ts. */
const UNMET = [
  "conditional-lm-fresh-no-lm",
  "other-set-cookie",
  "partial-store-partial-complete",
  "vary-normalise-lang-select",
];

/** Parts are joined in the isolate's memory only. */
const IN_ISOLATE = "3.4: parts of one strong version make a whole";

/** The cases that fail with a tier, as is known. */
export const unmetIn = (tier: keyof typeof TIERS): readonly string[] =>
  (tier === "edge" || tier === "redis" ? [...UNMET, IN_ISOLATE] : UNMET).toSorted();

/** Plays a case against the policy alone, with a clock of our own; answers why it failed, or undefined. */
export const playAlone = async (
  one: Case,
  step: Partial<Step>,
  edge: Cache,
  identified = false,
): Promise<string | undefined> => {
  const clock = new FakeClock();
  const over = { clock, store: new MemoryStore(clock) } as Partial<Ports>;
  const gateway = new Gateway({ clientDirectives: true, ...step }, { edge, over });
  const name = crypto.randomUUID();
  const script = new Script(name, one, 599);
  gateway.origin = ({ method, path, headers }) => {
    const turn = Number(headers.get("turn"));
    gateway.advance(script.turn(turn).slow ?? 0);
    const scripted = script.answer({ turn, method, fields: Object.fromEntries(headers) }, path, clock.ms);
    if (scripted === undefined) return new Response("away", { status: 502 });
    const text = method === "HEAD" ? null : scripted.text;
    return new Response(text, { status: scripted.status, headers: scripted.fields as [string, string][] });
  };
  const send: Send = async (turn, number, previous): Promise<Answer> => {
    const nowMs = Number(previous?.headers.get("origin-now") ?? clock.ms);
    const asked = (turn.ask ?? []).map((field): [string, string] => [
      field[0],
      textOf(field, nowMs, turn.rfc850),
    ]);
    const target = `/${name}${turn.at === undefined ? "" : `/${turn.at}`}${turn.query === undefined ? "" : `?${turn.query}`}`;
    const { method, body } = turn;
    const seen = await gateway.send(target, {
      headers: [["turn", String(number)], ...asked],
      ...(method !== undefined && { method }),
      ...(body !== undefined && { body }),
      ...(identified && { identity: caller("ann") }),
    });
    return { status: seen.status, headers: seen.headers, text: seen.text, interim: [] };
  };
  return play(
    name,
    one,
    send,
    async (ms) => gateway.advance(ms / 1000),
    () => script.got,
  );
};

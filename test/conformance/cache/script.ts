import { type Case, DATES, type Field, type Turn } from "./case.ts";

/** A request as the origin got it, and the answer that it gave: only fields that must reach the client as they are. */
export interface Got {
  /** Which turn of the case it belonged to, from 1. */
  readonly turn: number;
  readonly method: string;
  readonly fields: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly answered: readonly (readonly [string, string])[];
}

/** What the origin answers. */
export interface Scripted {
  readonly status: number;
  readonly fields: readonly (readonly [string, string])[];
  readonly text: string | null;
}

/** The date so many seconds from a moment, in the form of RFC 9110 or in that of RFC 850. */
const dateFrom = (nowMs: number, seconds: number, rfc850: boolean): string => {
  const date = new Date(nowMs + seconds * 1000);
  const text = date.toUTCString();
  if (!rfc850) return text;
  const day = date.toLocaleDateString("en-US", { weekday: "long", timeZone: "UTC" });
  const [, number, month, year, time] = text.split(" ") as [string, string, string, string, string];
  return `${day}, ${number}-${month}-${year.slice(2)} ${time} GMT`;
};

/** The text of a field, where a number stands for a date. */
export const textOf = ([name, value]: Field, nowMs: number, rfc850 = false): string =>
  typeof value === "number" && DATES.has(name.toLowerCase()) ? dateFrom(nowMs, value, rfc850) : String(value);

/** The origin of one case: answers its turns, and remembers what it was asked. */
export class Script {
  readonly got: Got[] = [];
  readonly #name: string;
  readonly #turns: readonly Turn[];
  readonly #unvalidated: number;

  /** `unvalidated` is the status of an answer to a request that should have asked by a validator and did not. */
  constructor(name: string, { turns }: Case, unvalidated = 999) {
    this.#name = name;
    this.#turns = turns;
    this.#unvalidated = unvalidated;
  }

  turn(number: number): Turn {
    return this.#turns[number - 1]!;
  }

  /** The answer to a request for a turn; undefined where the origin hangs up. */
  answer(asked: Omit<Got, "answered">, path: string, nowMs: number): Scripted | undefined {
    const turn = this.turn(asked.turn);
    const status = this.#status(turn, asked);
    const fields = (turn.answer ?? []).map(
      (field) => [field[0], located(turn, field[0], textOf(field, nowMs), path)] as const,
    );
    const answered = fields.filter(([field]) => !turn.loose?.includes(field.toLowerCase()));
    this.got.push({ ...asked, answered });
    if (turn.away) return undefined;
    const typed = fields.some(([field]) => field === "Content-Type");
    return {
      status,
      fields: [
        ["origin-now", String(nowMs)],
        ["request-count", String(this.got.length)],
        ["client-request-count", String(asked.turn)],
        ["request-numbers", this.got.map((one) => one.turn).join(" ")],
        ...(typed ? [] : [["content-type", "text/plain"] as const]),
        ...fields,
      ],
      text: status === 204 || status === 304 ? null : (turn.text ?? this.#name),
    };
  }

  #status(turn: Turn, { turn: number, fields }: Omit<Got, "answered">): number {
    if (turn.from !== "etag" && turn.from !== "last-modified") return turn.status ?? 200;
    const previous = this.#turns[number - 2]?.answer ?? [];
    const sent = (name: string): string | undefined =>
      this.got.at(-1)?.answered.find(([known]) => known.toLowerCase() === name)?.[1] ??
      previous
        .find(([known, value]) => known.toLowerCase() === name && typeof value === "string")?.[1]
        ?.toString();
    const tag = sent("etag");
    const modified = sent("last-modified");
    const byDate = modified !== undefined && fields["if-modified-since"] === modified;
    return byDate || (tag !== undefined && fields["if-none-match"] === tag) ? 304 : this.#unvalidated;
  }
}

const located = (turn: Turn, name: string, value: string, path: string): string => {
  if (!turn.ownLocations || (name !== "Location" && name !== "Content-Location")) return value;
  return `${turn.locationsAt ?? ""}${path}${value === "" ? "" : `/${value}`}`;
};

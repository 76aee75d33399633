/** A header field: its value, or for a field that holds a date the seconds from the moment at which it is sent. */
export type Field = readonly [name: string, value: string | number];

/** What an answer must show: a field at all, with a value, with a number above one, or with a text of a form. */
export type Shown =
  | string
  | Field
  | readonly [name: string, sign: ">", than: number]
  | readonly [name: string, sign: "~", form: RegExp];

/** One request of a case, what the origin would answer to it, and what must come of it. */
export interface Turn {
  readonly method?: string;
  readonly ask?: readonly Field[];
  readonly body?: string;
  /** Dates of the request take the form of RFC 850. */
  readonly rfc850?: boolean;
  /** Below the case's own target. */
  readonly at?: string;
  readonly query?: string;

  readonly status?: number;
  readonly answer?: readonly Field[];
  /** Fields of the answer that need not reach the client as they are. */
  readonly loose?: readonly string[];
  /** What the origin sends as the body; else the name of the case's target. */
  readonly text?: string;
  /** The origin's Location and Content-Location are below the case's own target. */
  readonly ownLocations?: boolean;
  /** The origin, scheme and host, that stands before these. */
  readonly locationsAt?: string;
  /** Fields that come after the body. */
  readonly trailers?: readonly Field[];
  /** The origin has no clock: its answer has no Date. */
  readonly undated?: true;
  /** The origin hangs up instead of answering. */
  readonly away?: boolean;
  /** The origin waits so long, in seconds. */
  readonly slow?: number;
  /** Informational answers that come first. */
  readonly interim?: readonly (readonly [status: number, fields: Readonly<Record<string, string>>])[];

  /** Where the answer must come from; with a validator, the origin answers 304 when it is asked by it and 999 when not. */
  readonly from?: "cache" | "origin" | "etag" | "last-modified";
  /** The status that the client must see, where it is not that of the origin; null for any. */
  readonly sees?: number | null;
  readonly shows?: readonly Shown[];
  readonly hides?: readonly string[];
  /** The body that the client must read; null for any. */
  readonly reads?: string | null;
  /** Fields that the origin must have got. */
  readonly sends?: readonly (string | Field)[];
  readonly sendsNot?: readonly string[];
  readonly sentAs?: string;
  /** Three seconds pass after it. */
  readonly pause?: boolean;
}

/** What the public suite calls a case: a rule, what the best caches do, or a question whose answer says what a cache is like. */
export type Kind = "required" | "optimal" | "check";

export interface Case {
  /** The name of the same case in the public suite, so that results can be held against each other. */
  readonly id: string;
  readonly kind: Kind;
  /** Cases that must have passed, or this one says nothing. */
  readonly needs?: readonly string[];
  /** Only for a cache that heeds a client's own Cache-Control. */
  readonly heeds?: true;
  readonly turns: readonly Turn[];
}

/** Fields whose numbers are dates. */
export const DATES = new Set([
  "date",
  "expires",
  "last-modified",
  "if-modified-since",
  "if-unmodified-since",
]);

/** A response that is fresh for a day. */
export const FRESH: readonly Field[] = [
  ["Cache-Control", "max-age=100000"],
  ["Date", 0],
];

const REUSED = { cache: { from: "cache" }, origin: { from: "origin" } } as const;

/** The commonest case: a response, a pause, and the same request again. */
export const twice = (
  id: string,
  kind: Kind,
  answer: readonly Field[],
  from: "cache" | "origin",
  more: Partial<Turn> = {},
): Case => ({ id, kind, turns: [{ answer, pause: true, ...more }, REUSED[from]] });

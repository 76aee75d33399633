import type { ContributedAnswer } from "../core/contribution.ts";
import type { Place } from "../core/diagnostic.ts";
import type { BundledDocument } from "../core/operation.ts";
import type { Told } from "./contributions.ts";
import type { JsonObject } from "./json.ts";

/** A field of an answer, by its name in lower case. */
export type Fields = ReadonlyMap<string, { readonly name: string; readonly header: JsonObject }>;

/** One way in which a request may be answered; several may have one status. */
export interface Answer {
  /** As OpenAPI writes it: `200`, `2XX`, `default`. */
  readonly status: string;
  readonly description: string;
  /** Codes of the gateway's problems; none where the body is not the gateway's. */
  readonly codes: readonly string[];
  readonly fields: Fields;
  readonly content: Readonly<Record<string, JsonObject>>;
  readonly place: Place;
  /** Whether it is given before a route is looked for. */
  readonly isUnrouted?: boolean;
  /** Whether the service gives it. */
  readonly isService?: boolean;
  /** Where its document says so. */
  readonly copyOf?: { readonly document: BundledDocument; readonly pointer: string };
}

/** An answer of the gateway's own. */
export const gatewayAnswer = (
  { status, description, codes = [], fields = {} }: ContributedAnswer,
  place: Place,
): Answer => ({
  status: String(status),
  description,
  codes,
  fields: fieldsOf(fields),
  content: {},
  place,
});

export const fieldsOf = (headers: Readonly<Record<string, JsonObject>>): Fields =>
  new Map(
    Object.entries(headers).map(([name, header]) => [name.toLowerCase(), { name: titled(name), header }]),
  );

/** Names that policies write in lower case, as people write them. */
const titled = (name: string): string =>
  name === name.toLowerCase()
    ? name.replaceAll(/(?<![a-z0-9])[a-z]/g, (letter) => letter.toUpperCase())
    : name;

/** What is answered where the target of a request cannot be read in one way only. */
const unreadable = (place: Place): Answer => ({
  ...gatewayAnswer(
    {
      status: 400,
      description: "The path or the host of the request cannot be read in one way only.",
      codes: ["path-refused", "host-refused"],
    },
    place,
  ),
  isUnrouted: true,
});

/**
 * Every answer of a route: those of its end, and those that its policies give in place of them. A policy's fields stand on
 * what comes from further in.
 */
export const answersOf = (end: readonly Answer[], told: readonly Told[], place: Place): readonly Answer[] => {
  const answers = told.reduceRight<readonly Answer[]>(
    (inner, one) => around(inner, one),
    [...end, unreadable(place)],
  );
  return answers.map((answer) => ({ ...answer, fields: sortedFields(answer.fields) }));
};

const around = (inner: readonly Answer[], told: Told): readonly Answer[] => {
  const { answers = [], fields = {}, removedFields = [], onlyFields } = told.contribution;
  const added = fieldsOf(fields);
  const passes = (name: string): boolean =>
    !removedFields.includes(name) && onlyFields?.includes(name) !== false;
  const edited = inner.map((answer) =>
    answer.isUnrouted === true && !told.isBeforeRoutes
      ? answer
      : {
          ...answer,
          fields: new Map([...[...answer.fields].filter(([name]) => passes(name)), ...added]),
        },
  );
  return [...edited, ...answers.map((answer) => gatewayAnswer(answer, told.place))];
};

const sortedFields = (fields: Fields): Fields =>
  new Map([...fields].sort(([one], [other]) => (one < other ? -1 : 1)));

import type { HeaderEdit } from "../../core/header-edits.ts";
import type { FilterFactory } from "../../core/policy.ts";

/** The fields of an answer of a deprecated route, complete when compiled. */
export type Step = {
  /** RFC 9745: a date of structured fields, `@` and seconds. */
  readonly deprecation: string;
  /** RFC 8594: an HTTP date. */
  readonly sunset: string | null;
  /** RFC 8288, with the relation types that both RFCs register. */
  readonly links: readonly string[];
};

/** Links the step: the same edits for every answer, those of the cache and refusals included. */
export const filter: FilterFactory<Step> = ({ deprecation, sunset, links }) => {
  const edits: readonly HeaderEdit[] = [
    { op: "set", name: "deprecation", value: deprecation },
    ...(sunset === null ? [] : [{ op: "set", name: "sunset", value: sunset } as const]),
    ...links.map((value) => ({ op: "add", name: "link", value }) as const),
  ];
  return (next) => (exchange) => {
    for (const edit of edits) exchange.answerEdits.push(edit);
    return next(exchange);
  };
};

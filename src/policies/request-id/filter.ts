import type { HeaderEdit } from "../../core/header-edits.ts";
import type { FilterFactory } from "../../core/policy.ts";

export type Step = {
  /** Lower case. */
  readonly header: string;
  readonly trust: boolean;
};

/** RFC 9562 section 4. Anything else would be no `urn:uuid:` in a problem's `instance`, and could forge a line of a log. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Names the request: takes the client's id where it is trusted and a UUID, and tells it to the upstream and the client. */
export const filter: FilterFactory<Step> =
  ({ header, trust }) =>
  (next) =>
  (exchange) => {
    if (trust) {
      const given = exchange.request.headers.get(header);
      if (given !== null && UUID.test(given)) exchange.requestId = given;
    }
    const edit: HeaderEdit = { op: "set", name: header, value: exchange.requestId };
    exchange.requestEdits.push(edit);
    exchange.answerEdits.push(edit);
    return next(exchange);
  };

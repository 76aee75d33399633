import { type Container, childOf, opened, replaceChild, tokensOf } from "./document.ts";

/** A reference token of a pointer (RFC 6901), decoded; null stands for every member or element. */
export type Token = string | null;

/** `missing`: no such place; `different`: a test failed; `duplicate`: a name twice on the way; `no-value`: none to write. */
export type Reason = "missing" | "different" | "duplicate" | "no-value";

/** What happens at a place of a container; answers why it cannot. */
export type Visit = (container: Container, token: string) => Reason | undefined;

export interface Way {
  readonly tokens: readonly Token[];
  readonly visit: Visit;
  /** Places that do not exist are passed over. */
  readonly optional: boolean;
  /** The tokens on the way, those of a failure when there is one. */
  readonly trail: string[];
  /** Where in the trail the first token stands. */
  readonly base: number;
}

/** Goes to every place that the tokens lead to, and opens what lies on the way. */
export const walk = (container: Container, way: Way, at = 0): Reason | undefined => {
  const token = way.tokens[at]!;
  if (token !== null) return step(container, token, way, at);
  const tokens = tokensOf(container);
  // From the end, where the places themselves may go.
  if (at === way.tokens.length - 1) tokens.reverse();
  for (const each of tokens) {
    const reason = step(container, each, way, at);
    if (reason !== undefined) return reason;
  }
  return undefined;
};

const step = (container: Container, token: string, way: Way, at: number): Reason | undefined => {
  const { trail, base, tokens, visit, optional } = way;
  trail[base + at] = token;
  trail.length = base + at + 1;
  let reason: Reason | undefined;
  if (at === tokens.length - 1) reason = visit(container, token);
  else {
    const inner = openedChild(container, token);
    reason = typeof inner === "string" ? inner : walk(inner, way, at + 1);
  }
  return reason === "missing" && optional ? undefined : reason;
};

/** The container at a place, opened there. */
const openedChild = (container: Container, token: string): Container | "missing" | "duplicate" => {
  const child = childOf(container, token);
  if (child === undefined) return "missing";
  const inner = opened(child);
  if (inner === "scalar") return "missing";
  if (inner !== "duplicate" && inner !== child) replaceChild(container, token, inner);
  return inner;
};

import type { CandidatePlan, PathLeaf, PathNode } from "../core/matcher-plan.ts";

/** A node of the tree; its maps are made when it is first passed, so that a large table costs nothing to start. */
export class Segment {
  readonly #plan: PathNode;
  #literals: Map<string, Segment> | undefined;
  #param: Segment | undefined;
  #mixed: readonly Mixed[] | undefined;
  readonly full: Leaf | undefined;
  readonly rest: Leaf | undefined;
  readonly prefix: Leaf | undefined;
  readonly regex: Leaf | undefined;

  constructor(plan: PathNode) {
    this.#plan = plan;
    this.regex = plan.regex && new Leaf(plan.regex);
    this.full = plan.full && new Leaf(plan.full);
    this.rest = plan.rest && new Leaf(plan.rest);
    this.prefix = plan.prefix && new Leaf(plan.prefix);
  }

  literal(text: string): Segment | undefined {
    const { literals } = this.#plan;
    if (literals === undefined) return undefined;
    this.#literals ??= new Map(Object.entries(literals).map(([key, node]) => [key, new Segment(node)]));
    return this.#literals.get(text);
  }

  get mixed(): readonly Mixed[] | undefined {
    if (this.#plan.mixed === undefined) return undefined;
    this.#mixed ??= this.#plan.mixed.map(({ texts, node }) => ({ texts, segment: new Segment(node) }));
    return this.#mixed;
  }

  get param(): Segment | undefined {
    if (this.#param === undefined && this.#plan.param !== undefined)
      this.#param = new Segment(this.#plan.param);
    return this.#param;
  }
}

export interface Mixed {
  readonly texts: readonly string[];
  readonly segment: Segment;
}

/** The parameters of a segment of text and parameters, each ending where the next text begins; undefined where it does not fit. */
export const split = (text: string, texts: readonly string[]): string[] | undefined => {
  const [first, ...others] = texts as [string, ...string[]];
  if (!text.startsWith(first)) return undefined;
  const values: string[] = [];
  let at = first.length;
  for (const [index, next] of others.entries()) {
    const last = index === others.length - 1;
    const end = last ? text.length - next.length : text.indexOf(next, at + 1);
    if (end <= at || !text.startsWith(next, end)) return undefined;
    values.push(text.slice(at, end));
    at = end + next.length;
  }
  return values;
};

export class Leaf {
  readonly methods: ReadonlyMap<string, readonly CandidatePlan[]>;
  readonly any: readonly CandidatePlan[];

  constructor(plan: PathLeaf) {
    this.methods = new Map(Object.entries(plan.methods));
    this.any = plan.any;
  }
}

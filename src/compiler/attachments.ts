import { anyOf, didYouMean, nearestName } from "../config/faults.ts";
import { fault, plainValue, type Tree } from "../config/tree.ts";
import { withoutUnknown } from "../config/typing.ts";
import { zodFaults } from "../config/zod-faults.ts";
import type { PolicyType } from "../core/policy.ts";
import { lostKeys, mergedInto, withoutInherit } from "./inheritance.ts";
import type { InstanceIr, LevelIr, Report, RouteIr } from "./ir.ts";

/** The policies of one route after inheritance. */
export interface Attached {
  /** Instances by policy name, outermost first. */
  readonly instances: ReadonlyMap<string, readonly InstanceIr[]>;
  /** Policies that are attached and could not be typed. */
  readonly broken: ReadonlySet<string>;
}

/** Policies that `public: true` takes away, beside those that prove identity. */
const CLOSED = new Set(["identity", "authorize"]);
const closes = (type: PolicyType): boolean => type.attachment === "identity" || CLOSED.has(type.name);

/** What of one policy type holds at a level. */
interface Held {
  readonly list: readonly InstanceIr[];
  readonly broken: boolean;
}

const NONE: Held = { list: [], broken: false };

/** Works out what is attached where; remembers what it has typed, since levels are shared by many routes. */
export class Attachments {
  readonly #types: readonly PolicyType[];
  readonly #report: Report;
  readonly #typed = new Map<Tree, { readonly config: unknown } | undefined>();
  readonly #checked = new Set<LevelIr["node"]>();
  readonly #mistyped = new Map<LevelIr["node"], ReadonlySet<string>>();

  constructor(types: readonly PolicyType[], report: Report) {
    this.#types = types;
    this.#report = report;
  }

  /** The policies of a route; what cannot be typed is reported and left out. */
  of(route: Pick<RouteIr, "levels">): Attached {
    for (const level of route.levels) this.#check(level);
    const instances = new Map<string, readonly InstanceIr[]>();
    const broken = new Set<string>();
    for (const type of this.#types) {
      const held = route.levels.reduce((outer, level) => this.#at(type, level, outer), NONE);
      if (held.list.length > 0) instances.set(type.name, held.list);
      if (held.broken) broken.add(type.name);
    }
    return { instances, broken };
  }

  #at(type: PolicyType, level: LevelIr, above: Held): Held {
    const outer = level.public && closes(type) ? NONE : above;
    const tree = level.tree?.entries?.get(type.name);
    if (tree === undefined) return this.#meant(level).has(type.name) ? { ...outer, broken: true } : outer;
    if (tree.scalar === "none") {
      // In an environment `none` takes away what stands at this very place.
      if (outer === NONE && !level.broken && tree.laidOver !== true) this.#reportNothing(type, tree);
      return NONE;
    }
    if (type.attachment === "guard") {
      this.#refuseInherit(type, tree);
      const instance = this.#instance(type, withoutInherit(tree), level, false);
      return {
        list: instance === undefined ? outer.list : [...outer.list, instance],
        broken: outer.broken || instance === undefined,
      };
    }
    const inherited = outer.list[0];
    this.#checkInherit(type, tree, outer);
    const whole = inherited === undefined ? withoutInherit(tree) : this.#inherit(type, inherited, tree);
    const instance = this.#instance(type, whole, level, outer.broken);
    return { list: instance === undefined ? [] : [instance], broken: instance === undefined };
  }

  /** Policies that are not written at a level. */
  #absent(level: LevelIr): readonly string[] {
    return this.#types.map(({ name }) => name).filter((name) => level.tree?.entries?.has(name) !== true);
  }

  /** Policies that were meant by names which are none; of names that are near to none, those that prove identity. */
  #meant(level: LevelIr): ReadonlySet<string> {
    const known = this.#mistyped.get(level.node);
    if (known !== undefined) return known;
    const absent = this.#absent(level);
    const names = [...(level.tree?.entries?.keys() ?? [])].filter(
      (name) => !this.#types.some((type) => type.name === name),
    );
    const identity = this.#types
      .filter(({ attachment }) => attachment === "identity")
      .map(({ name }) => name);
    const meant = new Set(names.flatMap((name) => nearestName(name, absent) ?? identity));
    this.#mistyped.set(level.node, meant);
    return meant;
  }

  #instance(type: PolicyType, tree: Tree, level: LevelIr, partial: boolean): InstanceIr | undefined {
    const typed = this.#type(type, tree, level, partial);
    if (typed === undefined) return undefined;
    const path = [...level.path, "policies", type.name];
    return { config: typed.config, level: level.level, node: level.node, path, tree };
  }

  #reportNothing(type: PolicyType, tree: Tree): void {
    this.#report(
      fault(
        tree.keyPlace ?? tree.place,
        "nothing-to-remove",
        `No policy "${type.name}" is inherited here.`,
        "Remove this line.",
      ),
    );
  }

  /** Faults of a level by itself: unknown policies, and identity beside `public`. */
  #check(level: LevelIr): void {
    if (this.#checked.has(level.node)) return;
    this.#checked.add(level.node);
    const names = this.#types.map((type) => type.name);
    for (const [name, tree] of level.tree?.entries ?? []) {
      const type = this.#types.find((candidate) => candidate.name === name);
      const place = tree.keyPlace ?? tree.place;
      if (type === undefined) {
        const remedy = didYouMean(name, this.#absent(level)) ?? `Write one of ${anyOf(names)}.`;
        this.#report(fault(place, "unknown-policy", `There is no policy "${name}".`, remedy));
      } else if (level.public && closes(type) && tree.scalar !== "none") {
        this.#report(
          fault(
            place,
            "public-with-identity",
            `"${level.node}" is public and asks for "${name}" at the same time.`,
            "Remove `public: true`, or remove this policy.",
          ),
        );
      } else if (tree.entries === undefined && tree.scalar !== "none") {
        this.#report(
          fault(
            tree.place,
            "wrong-type",
            `"${name}" takes a map of settings.`,
            `Write \`${name}: {}\` for its defaults, or \`${name}: none\` to remove an inherited one.`,
          ),
        );
      }
    }
  }

  /** Faults of the word `inherit` itself. */
  #checkInherit(type: PolicyType, tree: Tree, outer: Held): void {
    const word = tree.entries?.get("inherit");
    if (word === undefined) return;
    if (typeof word.scalar !== "boolean") {
      this.#report(
        fault(
          word.place,
          "wrong-type",
          "`inherit` is true or false.",
          "Write `inherit: true` to keep the outer keys, or `inherit: false` to drop them.",
        ),
      );
    } else if (outer === NONE) {
      this.#report(
        fault(
          word.keyPlace ?? word.place,
          "nothing-to-inherit",
          `No policy "${type.name}" is inherited here.`,
          "Remove `inherit`.",
        ),
      );
    }
  }

  #inherit(type: PolicyType, outer: InstanceIr, inner: Tree): Tree {
    const word = inner.entries?.get("inherit");
    const own = withoutInherit(inner);
    if (word?.scalar === true) return mergedInto(outer.tree, own);
    const lost = lostKeys(outer.tree, own);
    if (word === undefined && lost.length > 0 && inner.entries !== undefined) {
      this.#report(
        fault(
          inner.keyPlace ?? inner.place,
          "lost-keys",
          `This replaces the "${type.name}" of ${outer.level === "gateway" ? "the gateway" : outer.node} and loses ${lost.map((key) => `"${key}"`).join(", ")}.`,
          "Add `inherit: true` to keep the outer keys, or `inherit: false` to drop them.",
          {
            related: [
              { message: "What would be lost stands here.", place: outer.tree.keyPlace ?? outer.tree.place },
            ],
          },
        ),
      );
    }
    return own;
  }

  #refuseInherit(type: PolicyType, tree: Tree): void {
    const word = tree.entries?.get("inherit");
    if (word !== undefined) {
      this.#report(
        fault(
          word.keyPlace ?? word.place,
          "unknown-key",
          `"${type.name}" adds up: the outer ones hold anyway.`,
          "Remove `inherit`, or write `none` at this level to drop the outer ones.",
        ),
      );
    }
  }

  /** `partial` when keys of an outer policy are missing that could not be typed itself. */
  #type(
    type: PolicyType,
    tree: Tree,
    level: LevelIr,
    partial: boolean,
  ): { readonly config: unknown } | undefined {
    if (this.#typed.has(tree)) return this.#typed.get(tree);
    const typed = tree.entries === undefined ? undefined : this.#parse(type, tree, level, partial);
    this.#typed.set(tree, typed);
    return typed;
  }

  #parse(type: PolicyType, tree: Tree, level: LevelIr, partial: boolean): { config: unknown } | undefined {
    const value = plainValue(tree);
    const result = type.schema.safeParse(value);
    if (result.success) return { config: result.data };
    zodFaults(result.error, tree, type.schema, [...level.path, "policies", type.name])
      .diagnostics.filter(({ code }) => !partial || code !== "missing-key")
      .forEach(this.#report);
    const again = type.schema.safeParse(withoutUnknown(value, result.error.issues));
    return again.success ? { config: again.data } : undefined;
  }
}

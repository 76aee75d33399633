import { anyOf, didYouMean, zodFaults } from "../config/faults.ts";
import { keysAt } from "../config/schema-keys.ts";
import { fault, plainValue, type Tree } from "../config/tree.ts";
import type { PolicyType } from "../core/policy.ts";
import type { InstanceIr, LevelIr, Report, RouteIr } from "./ir.ts";

/** The policies of one route after inheritance: instances by policy name, outermost first. */
export type Attached = ReadonlyMap<string, readonly InstanceIr[]>;

/** Policies that `public: true` takes away, beside those that prove identity. */
const CLOSED = new Set(["identity", "authorize"]);
const closes = (type: PolicyType): boolean => type.attachment === "identity" || CLOSED.has(type.name);

/** Works out what is attached where; remembers what it has typed, since levels are shared by many routes. */
export class Attachments {
  readonly #types: readonly PolicyType[];
  readonly #report: Report;
  readonly #typed = new Map<Tree, { readonly config: unknown } | undefined>();
  readonly #merged = new Map<Tree, Map<Tree, Tree>>();
  readonly #checked = new Set<LevelIr["node"]>();

  constructor(types: readonly PolicyType[], report: Report) {
    this.#types = types;
    this.#report = report;
  }

  /** The policies of a route; what cannot be typed is reported and left out. */
  of(route: Pick<RouteIr, "levels">): Attached {
    for (const level of route.levels) this.#check(level);
    return new Map(
      this.#types.flatMap((type) => {
        const instances = this.#instances(type, route.levels);
        return instances.length > 0 ? [[type.name, instances] as const] : [];
      }),
    );
  }

  #instances(type: PolicyType, levels: readonly LevelIr[]): InstanceIr[] {
    let list: InstanceIr[] = [];
    for (const level of levels) {
      if (level.public && closes(type)) list = [];
      const tree = level.tree?.entries?.get(type.name);
      if (tree === undefined) continue;
      if (tree.scalar === "none") {
        if (list.length === 0)
          this.#report(
            fault(
              tree.keyPlace ?? tree.place,
              "nothing-to-remove",
              `No policy "${type.name}" is inherited here.`,
              "Remove this line.",
            ),
          );
        list = [];
        continue;
      }
      if (type.attachment === "guard") this.#refuseInherit(type, tree);
      const outer = type.attachment === "guard" ? undefined : list[0];
      const whole = outer === undefined ? withoutInherit(tree) : this.#inherit(type, outer, tree);
      const typed = this.#type(type, whole, level);
      if (typed === undefined) continue;
      const instance = {
        config: typed.config,
        level: level.level,
        node: level.node,
        path: [...level.path, "policies", type.name],
        tree: whole,
      };
      list = type.attachment === "guard" ? [...list, instance] : [instance];
    }
    return list;
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
        this.#report(
          fault(
            place,
            "unknown-policy",
            `There is no policy "${name}".`,
            didYouMean(name, names) ?? `Write one of ${anyOf(names)}.`,
          ),
        );
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

  #inherit(type: PolicyType, outer: InstanceIr, inner: Tree): Tree {
    const word = inner.entries?.get("inherit");
    if (word !== undefined && typeof word.scalar !== "boolean") {
      this.#report(
        fault(
          word.place,
          "wrong-type",
          "`inherit` is true or false.",
          "Write `inherit: true` to keep the outer keys, or `inherit: false` to drop them.",
        ),
      );
    }
    const own = withoutInherit(inner);
    if (word?.scalar === true) return this.#merge(outer.tree, own);
    const lost = [...(outer.tree.entries?.keys() ?? [])].filter((key) => !own.entries?.has(key));
    if (word === undefined && lost.length > 0) {
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

  #merge(outer: Tree, inner: Tree): Tree {
    const known = this.#merged.get(outer)?.get(inner);
    if (known !== undefined) return known;
    const merged: Tree = { ...inner, entries: new Map([...(outer.entries ?? []), ...(inner.entries ?? [])]) };
    const perOuter = this.#merged.get(outer) ?? new Map<Tree, Tree>();
    perOuter.set(inner, merged);
    this.#merged.set(outer, perOuter);
    return merged;
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

  #type(type: PolicyType, tree: Tree, level: LevelIr): { readonly config: unknown } | undefined {
    if (this.#typed.has(tree)) return this.#typed.get(tree);
    const result = tree.entries === undefined ? undefined : type.schema.safeParse(plainValue(tree));
    const typed = result?.success ? { config: result.data } : undefined;
    this.#typed.set(tree, typed);
    if (result?.error)
      zodFaults(result.error, tree, (at) => keysAt(type.schema, at), [
        ...level.path,
        "policies",
        type.name,
      ]).forEach(this.#report);
    return typed;
  }
}

const stripped = new WeakMap<Tree, Tree>();

/** The tree without its `inherit`; the same object for the same tree, so that what was learned of it is found again. */
const withoutInherit = (tree: Tree): Tree => {
  if (!tree.entries?.has("inherit")) return tree;
  const known = stripped.get(tree) ?? {
    ...tree,
    entries: new Map([...tree.entries].filter(([key]) => key !== "inherit")),
  };
  stripped.set(tree, known);
  return known;
};

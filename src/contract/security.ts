import type { ContributedScheme } from "../core/contribution.ts";
import type { Json } from "../core/json.ts";
import { canonicalJson } from "../lib/canonical-json.ts";
import type { Told } from "./contributions.ts";
import { type JsonObject, sortedByKey } from "./json.ts";

/** What callers of one route must prove: alternatives, of each scheme the scopes. */
export type Requirement = Readonly<Record<string, readonly string[]>>;

/** Names of the schemes of all routes; a name that would mean two things gets a number. */
export class SchemeNames {
  readonly #schemes = new Map<string, Map<string, JsonObject>>();

  constructor(routes: readonly (readonly Told[])[]) {
    for (const told of routes)
      for (const { contribution } of told)
        for (const [name, { scheme }] of Object.entries(contribution.security ?? {})) {
          const forms = this.#schemes.get(plain(name)) ?? new Map<string, JsonObject>();
          this.#schemes.set(plain(name), forms);
          forms.set(canonicalJson(scheme), scheme);
        }
  }

  nameOf(name: string, { scheme }: ContributedScheme): string {
    const forms = [...this.#schemes.get(plain(name))!.keys()].sort();
    const index = forms.indexOf(canonicalJson(scheme));
    return index === 0 ? plain(name) : `${plain(name)}_${index + 1}`;
  }

  /** Security Scheme Objects by name. */
  all(): Readonly<Record<string, Json>> {
    return sortedByKey(
      [...this.#schemes].flatMap(([name, forms]) =>
        [...forms.keys()]
          .sort()
          .map((key, index) => [index === 0 ? name : `${name}_${index + 1}`, forms.get(key)!] as const),
      ),
    );
  }
}

const plain = (name: string): string => name.replaceAll(/[^A-Za-z0-9._-]+/g, "_");

/** The alternatives of a route, the first listed first; none where nobody is asked. */
export const requirementsOf = (told: readonly Told[], names: SchemeNames): readonly Requirement[] => {
  const alternatives = told.flatMap(({ contribution }) => contribution.alternatives ?? []);
  const requirements = alternatives.flatMap((policies) =>
    policies.reduce<readonly Requirement[]>(
      (so, policy) => {
        const schemes = told
          .filter((one) => one.policy === policy)
          .flatMap(({ contribution }) => Object.entries(contribution.security ?? {}));
        return schemes.reduce(
          (list, [name, scheme]) => withScheme(list, names.nameOf(name, scheme), scheme),
          so,
        );
      },
      [{}],
    ),
  );
  const known = new Set<string>();
  return requirements.filter((one) => {
    const text = canonicalJson(one);
    return known.has(text) ? false : known.add(text);
  });
};

/** Schemes whose scopes stand in a requirement (OpenAPI 3.1 section 4.8.30); those of others stand in `x-postern`. */
const SCOPED = new Set(["oauth2", "openIdConnect"]);

/** Of scopes of which one will do, each makes an alternative. */
const withScheme = (
  list: readonly Requirement[],
  name: string,
  { scheme, scopes, anyScope }: ContributedScheme,
): readonly Requirement[] =>
  list.flatMap((requirement) =>
    !SCOPED.has(String(scheme["type"]))
      ? [{ ...requirement, [name]: [] }]
      : (anyScope ?? [undefined]).map((scope) => ({
          ...requirement,
          [name]: [...new Set([...scopes, ...(scope === undefined ? [] : [scope])])].sort(),
        })),
  );

import {
  addMember,
  decodedScalar,
  decodeForm,
  decodePercent,
  emptyObject,
  isObjectWanted,
  isUnreadable,
  MALFORMED_VALUE,
  REPEATED,
  readItems,
  readStyled,
  type Style,
  type Unreadable,
  type Wanted,
  wantedMember,
} from "./parameter-styles.ts";

/** A pair of a query or of a form, as it is written; the name decoded. */
export interface RawPair {
  readonly name: string | undefined;
  readonly rawName: string;
  readonly raw: string;
}

/** The pairs of a query without its `?`; a name without `=` has an empty value, and empty pairs are none. */
export const pairsOf = (query: string): RawPair[] => {
  const pairs: RawPair[] = [];
  for (let from = 0; from <= query.length; ) {
    const and = query.indexOf("&", from);
    const end = and < 0 ? query.length : and;
    if (end > from) {
      const equals = query.indexOf("=", from);
      const border = equals < 0 || equals > end ? end : equals;
      const rawName = query.slice(from, border);
      pairs.push({ name: decodeForm(rawName), rawName, raw: query.slice(Math.min(border + 1, end), end) });
    }
    from = end + 1;
  }
  return pairs;
};

/** How one member of a query or of a form is written. */
export interface PairSpec {
  readonly name: string;
  readonly style: Style;
  readonly explode: boolean;
  readonly wanted: Wanted;
  /** Reserved characters stand for themselves in it, the plus sign too. */
  readonly reserved?: boolean;
}

/** What the pairs of a query or of a form say. */
export interface ReadPairs {
  /** Values by the index of their spec: undefined for what is not there. */
  readonly values: readonly unknown[];
  /** Pairs that no spec takes. */
  readonly unknown: readonly RawPair[];
}

/** Prepares the reading of queries or forms whose members are written as the specs say. */
export const linkPairs = (specs: readonly PairSpec[]): ((pairs: readonly RawPair[]) => ReadPairs) => {
  const whole = new Map<string, number>();
  const members = new Map<string, number>();
  const deep: { readonly bare: string; readonly prefix: string; readonly index: number }[] = [];
  let rest: number | undefined;
  for (const [index, { name, style, explode, wanted }] of specs.entries()) {
    if (style === "deepObject") deep.push({ bare: name, prefix: `${name}[`, index });
    else if (style === "form" && explode && isObjectWanted(wanted)) {
      for (const property of Object.keys(wanted.properties ?? {}))
        if (!members.has(property)) members.set(property, index);
      if (wanted.rest !== undefined) rest ??= index;
    } else whole.set(name, index);
  }
  const readDeep = (values: unknown[], { name, raw }: RawPair): boolean => {
    const found = deep.find(({ prefix, bare }) => name === bare || name!.startsWith(prefix));
    if (found === undefined) return false;
    const { index, prefix, bare } = found;
    if (isUnreadable(values[index]) || (name === bare && raw === "")) return true;
    const keys = name === bare ? undefined : keysOf(name!.slice(prefix.length));
    const object = (values[index] ??= emptyObject()) as Record<string, unknown>;
    const wrong = keys === undefined ? MALFORMED_VALUE : addDeep(object, keys, raw, specs[index]!);
    if (wrong !== undefined) values[index] = wrong;
    return true;
  };
  const addTo = (values: unknown[], index: number, rawName: string, raw: string): void => {
    if (isUnreadable(values[index])) return;
    const object = (values[index] ??= emptyObject()) as Record<string, unknown>;
    const { wanted, reserved } = specs[index]!;
    const wrong = addMember(object, rawName, raw, wanted, reserved ? decodePercent : decodeForm);
    if (wrong !== undefined) values[index] = wrong;
  };
  return (pairs) => {
    const values: unknown[] = new Array(specs.length);
    const found: (string[] | undefined)[] = new Array(specs.length);
    const unknown: RawPair[] = [];
    for (const pair of pairs) {
      const { name } = pair;
      if (name === undefined) {
        unknown.push(pair);
        continue;
      }
      const index = whole.get(name);
      if (index !== undefined) {
        const raws = found[index];
        if (raws === undefined) found[index] = [pair.raw];
        else raws.push(pair.raw);
        continue;
      }
      const owner = members.get(name);
      if (owner !== undefined) addTo(values, owner, pair.rawName, pair.raw);
      else if (deep.length > 0 && readDeep(values, pair)) continue;
      else if (rest !== undefined) addTo(values, rest, pair.rawName, pair.raw);
      else unknown.push(pair);
    }
    for (const [index, raws] of found.entries())
      if (raws !== undefined) values[index] = readRaws(raws, specs[index]!);
    return { values, unknown };
  };
};

/** The names in brackets behind the first `[`: `a][b]`; `[]` at the end says that there may be more. Undefined for others. */
const keysOf = (text: string): string[] | undefined => {
  const inside = text.endsWith("[]") ? text.slice(0, -2) : text;
  return /^[^[\]]*\](?:\[[^[\]]*\])*$/.test(inside) ? inside.slice(0, -1).split("][") : undefined;
};

/** Puts a value where its names lead, through members that are to be objects themselves. */
const addDeep = (
  top: Record<string, unknown>,
  keys: readonly string[],
  raw: string,
  { wanted: whole, reserved }: PairSpec,
): Unreadable | undefined => {
  let [object, wanted] = [top, whole];
  for (const key of keys.slice(0, -1)) {
    wanted = wantedMember(wanted, key);
    const inner = (object[key] ??= emptyObject());
    if (!isObjectWanted(wanted) || typeof inner !== "object") return MALFORMED_VALUE;
    object = inner as Record<string, unknown>;
  }
  const last = encodeURIComponent(keys.at(-1)!.toWellFormed());
  return addMember(object, last, raw, wanted, reserved ? decodePercent : decodeForm);
};

const readRaws = (raws: readonly string[], spec: PairSpec): unknown => {
  const { wanted, explode, reserved } = spec;
  const decode = reserved ? decodePercent : decodeForm;
  if (wanted.items !== undefined && explode && (raws.length > 1 || wanted.scalars === ""))
    return readItems(raws, wanted.items, decode);
  if (raws.length > 1) return REPEATED;
  if (wanted.items !== undefined && explode) return decodedScalar(raws[0]!, wanted, decode);
  return readStyled(raws[0]!, spec, decode);
};

/** Whether a name, as it is written in a query, is one of a list. */
export type NameTest = (written: string) => boolean;

/**
 * Links a list of names. They are compared decoded, or an escape would hide what a parameter is called; `filter[status]` and
 * `tags[]` belong to `filter` and `tags`, as parsers of queries have it.
 */
export const linkNames = (names: readonly string[]): NameTest => {
  const known = new Set(names);
  const brackets = Math.max(0, ...names.map((name) => name.split("[").length - 1));
  return (written) => {
    const name = decoded(written);
    if (known.has(name)) return true;
    // One bracket further in than any listed name goes is as far as there can be one: a long row of them costs nothing.
    for (let seen = 0, at = name.indexOf("["); at >= 0 && seen <= brackets; seen++) {
      if (known.has(name.slice(0, at))) return true;
      at = name.indexOf("[", at + 1);
    }
    return false;
  };
};

/** As form decoding reads it; what cannot be decoded stands for itself. */
const decoded = (written: string): string => {
  if (!/[%+]/.test(written)) return written;
  try {
    return decodeURIComponent(written.replaceAll("+", " "));
  } catch {
    return written;
  }
};

/** The query, with its `?`, without the parameters whose names do not pass. The others stay as they are written. */
export const keepParameters = (query: string, passes: NameTest): string => {
  if (query.length < 2) return query;
  const written = query.slice(1).split("&");
  const kept = written.filter((parameter) => passes(nameOf(parameter)));
  if (kept.length === written.length) return query;
  return kept.length === 0 ? "" : "?" + kept.join("&");
};

const nameOf = (parameter: string): string => {
  const equals = parameter.indexOf("=");
  return equals < 0 ? parameter : parameter.slice(0, equals);
};

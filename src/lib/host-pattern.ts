/** A host name, or a pattern with one leading wildcard or parameter. */
export type HostPattern =
  | { readonly kind: "exact"; readonly text: string }
  /** `.shop.example.com` after one label (`{tenant}`), or after one or more (`*`). */
  | { readonly kind: "suffix"; readonly text: string; readonly many: boolean; readonly param?: string }
  | { readonly kind: "any"; readonly text: "*" };

const LABEL = "(?!-)[a-z0-9-]{1,63}(?<!-)";
const NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);
const IPV6 = /^\[[0-9a-f:.]+\]$/;

/** Parses `api.example.com`, `*.example.com`, `{tenant}.example.com` or `*`; undefined for anything else. */
export const parseHostPattern = (text: string): HostPattern | undefined => {
  const lower = text.toLowerCase();
  if (lower === "*") return { kind: "any", text: "*" };
  if (NAME.test(lower) || IPV6.test(lower)) return { kind: "exact", text: lower };
  const found = /^(\*|\{[A-Za-z_][A-Za-z0-9_]*\})(\..+)$/.exec(text);
  const suffix = found?.[2]?.toLowerCase();
  if (!found || suffix === undefined || !NAME.test(suffix.slice(1))) return undefined;
  const wildcard = found[1]!;
  return wildcard === "*"
    ? { kind: "suffix", text: suffix, many: true }
    : { kind: "suffix", text: suffix, many: false, param: wildcard.slice(1, -1) };
};

/** How specific a pattern is: exact before wildcards, longer wildcards first, one label before many. Higher wins. */
export const hostSpecificity = (pattern: HostPattern): number =>
  pattern.kind === "exact"
    ? 100_000
    : pattern.kind === "any"
      ? 0
      : pattern.text.length * 2 + (pattern.many ? 0 : 1);

/** Whether every host that `narrow` takes is one that `wide` takes too. */
export const hostCovers = (wide: HostPattern, narrow: HostPattern): boolean => {
  if (wide.kind === "any") return true;
  if (narrow.kind === "any") return false;
  if (wide.kind === "exact") return narrow.kind === "exact" && narrow.text === wide.text;
  if (!narrow.text.endsWith(wide.text)) return false;
  if (wide.many) return narrow.kind === "suffix" || narrow.text.length > wide.text.length;
  if (narrow.kind === "suffix") return narrow.text === wide.text && !narrow.many;
  const label = narrow.text.slice(0, -wide.text.length);
  return label !== "" && !label.includes(".");
};

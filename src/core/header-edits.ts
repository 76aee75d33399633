/**
 * One edit to a set of header fields. Edits are collected on the exchange while filters run and applied in one go,
 * because a copy of Headers is what costs on workerd, not the single `set`.
 */
export type HeaderEdit =
  | { readonly op: "set"; readonly name: string; readonly value: string }
  | { readonly op: "add"; readonly name: string; readonly value: string }
  | { readonly op: "remove"; readonly name: string }
  /** Adds a value to a comma-separated list field such as Vary unless it is a member already. */
  | { readonly op: "merge"; readonly name: string; readonly value: string }
  /** Removes every field that is not named (lower case). */
  | { readonly op: "allow"; readonly names: readonly string[] };

/** Applies edits in their order to mutable headers. Names are lower case, as the compiler writes them. */
export const applyHeaderEdits = (headers: Headers, edits: readonly HeaderEdit[]): void => {
  for (const edit of edits) {
    switch (edit.op) {
      case "set":
        headers.set(edit.name, edit.value);
        break;
      case "add":
        headers.append(edit.name, edit.value);
        break;
      case "remove":
        headers.delete(edit.name);
        break;
      case "merge":
        mergeListMember(headers, edit.name, edit.value);
        break;
      case "allow":
        for (const name of [...headers.keys()]) if (!edit.names.includes(name)) headers.delete(name);
    }
  }
};

const mergeListMember = (headers: Headers, name: string, value: string): void => {
  const current = headers.get(name);
  if (current === null) {
    headers.set(name, value);
    return;
  }
  const wanted = value.toLowerCase();
  for (const member of current.split(",")) {
    const text = member.trim().toLowerCase();
    if (text === wanted || text === "*") return;
  }
  headers.set(name, current + ", " + value);
};

/** The target of a request, as signatures cover it. */
export interface SignedTarget {
  /** Lower case. */
  readonly scheme: string;
  /** Lower case, without the scheme's default port. */
  readonly authority: string;
  readonly path: string;
  /** With its `?`, or empty. */
  readonly query: string;
}

/** A message, as far as signatures cover it. */
export interface SignedMessage {
  readonly method: string;
  readonly target: SignedTarget;
  readonly headers: Headers;
}

/** The derived components (RFC 9421 section 2.2) that a base can be made of. */
export const DERIVED_COMPONENTS = [
  "@method",
  "@authority",
  "@scheme",
  "@target-uri",
  "@request-target",
  "@path",
  "@query",
] as const;

/**
 * The target of a request that is sent: what `fetch` makes of its URL. It too brings a path to a form of its own, drops a
 * default port, and escapes some characters.
 */
export const targetOfUrl = (text: string): SignedTarget => {
  const { protocol, host, pathname, search } = new URL(text);
  return { scheme: protocol.slice(0, -1), authority: host, path: pathname, query: search };
};

/**
 * What is signed of a request (RFC 9421 section 2.5). `components` are names of fields that are there, in lower case, and of
 * derived components; `parameters` follow the list of them as they are, each behind a semicolon. `params` is the value of
 * the label in Signature-Input.
 */
export const signatureBase = (
  message: SignedMessage,
  components: readonly string[],
  parameters: string,
): { readonly text: string; readonly params: string } => {
  const lines = components.map((name) => `"${name}": ${componentValue(name, message)}\n`).join("");
  const params = `(${components.map((name) => `"${name}"`).join(" ")})${parameters}`;
  return { text: `${lines}"@signature-params": ${params}`, params };
};

/** RFC 9421 sections 2.1 and 2.2. */
const componentValue = (name: string, { method, target, headers }: SignedMessage): string => {
  const { scheme, authority, path, query } = target;
  switch (name) {
    case "@method":
      return method;
    case "@authority":
      return authority;
    case "@scheme":
      return scheme;
    case "@target-uri":
      return `${scheme}://${authority}${path}${query}`;
    case "@request-target":
      return path + query;
    case "@path":
      return path;
    case "@query":
      return query || "?";
    default:
      return headers.get(name) ?? "";
  }
};

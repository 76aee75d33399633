/** A message, as far as signatures cover it. */
export interface SignedMessage {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
}

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
  const url = new URL(message.url);
  const lines = components.map((name) => `"${name}": ${componentValue(name, url, message)}\n`).join("");
  const params = `(${components.map((name) => `"${name}"`).join(" ")})${parameters}`;
  return { text: `${lines}"@signature-params": ${params}`, params };
};

/**
 * RFC 9421 sections 2.1 and 2.2. Of the URL, what `fetch` makes of it: it too brings a path to a form of its own, drops a
 * default port, and escapes some characters.
 */
const componentValue = (name: string, url: URL, { method, headers }: SignedMessage): string => {
  switch (name) {
    case "@method":
      return method;
    case "@authority":
      return url.host;
    case "@path":
      return url.pathname;
    case "@query":
      return url.search || "?";
    default:
      return headers.get(name) ?? "";
  }
};

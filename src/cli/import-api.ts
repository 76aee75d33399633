import type { Advice } from "./import-policies.ts";
import type { Server } from "./import-server.ts";

/** What an api file is written from. */
export interface ApiWords {
  readonly api: string;
  /** A name that no other upstream has. */
  readonly upstream: string;
  /** Name of the document in the folder of OpenAPI documents. */
  readonly document: string;
  readonly server: Server;
  readonly advice: Advice;
  /** Whether the gateway's own policies prove already who calls. */
  readonly isClosed: boolean;
}

/** More names than these are left to the document. */
const MOST_NAMES = 8;

/** The api file of an imported document. What cannot be known stands in it as a comment, for its owner to choose. */
export const apiFile = (words: ApiWords): string => {
  const { api, upstream, document, server } = words;
  const settings = [
    `file: ${quoted(document)}`,
    ...(server.prefix === undefined ? [] : [`prefix: ${quoted(server.prefix)}`]),
    "operations: all",
  ];
  const target = [`url: ${JSON.stringify(server.url)}`, ...(server.isPrivate ? ["network: private"] : [])];
  return `upstreams:
  ${upstream}:
    targets:
      main: { ${target.join(", ")} }

apis:
  ${api}:
    openapi: { ${settings.join(", ")} }
    upstream: ${upstream}
${callerLines(words).join("\n")}
`;
};

/** Whether the api is attached to something that proves who calls, so that nothing is left to choose. */
export const isDecided = ({ advice, isClosed }: Pick<ApiWords, "advice" | "isClosed">): boolean =>
  isClosed || attached(advice) !== undefined;

/** A policy is attached where the document asks for one thing only, and all that it needs is there. */
const attached = ({ suggestions: [first], single, unknown }: Advice) =>
  single && unknown.length === 0 && first !== undefined && first.missing === undefined ? first : undefined;

const callerLines = ({ advice, isClosed }: ApiWords): string[] => {
  const { suggestions, unknown, open } = advice;
  const sure = attached(advice);
  const schemes = (names: readonly string[]): string =>
    `the document's ${names.map((name) => JSON.stringify(name)).join(" and ")}`;
  const names = open.map(({ id }) => quoted(id ?? "")).slice(0, MOST_NAMES);
  const openLine = `# The document asks for nothing in ${names.join(", ")}${open.length > names.length ? ` and ${open.length - names.length} more` : ""}; each is closed until its route says \`public: true\`.`;
  if (sure !== undefined && !isClosed)
    return [
      "    policies:",
      `      ${sure.line}   # ${schemes(sure.schemes)}`,
      ...(open.length > 0 ? [`    ${openLine}`] : []),
    ];
  const lines = [
    ...suggestions.map(
      ({ line, schemes: of, missing }) =>
        `#   ${line}   # ${schemes(of)}${missing === undefined ? "" : `; ${missing}`}`,
    ),
    ...unknown.map((scheme) => `#   (no policy stands for ${schemes([scheme])})`),
  ];
  if (isClosed) {
    if (lines.length === 0) return ["    # The gateway's policies prove who calls."];
    return ["    # The gateway's policies prove who calls. The document asks for:", ...lines.map(indented)];
  }
  if (lines.length === 0)
    return [
      "    # Choose who may call: the document asks for nothing. Attach an identity policy, or open it on purpose:",
      "    # policies:",
      "    #   jwt: { issuers: [main] }",
      "    # public: true",
    ];
  return [
    "    # Choose who may call. The document suggests:",
    "    # policies:",
    ...lines.map(indented),
    ...(suggestions.length > 1
      ? [
          `    #   identity: { any: [${suggestions.map(({ line }) => line.split(":")[0]).join(", ")}] }   # one of them will do; without this line all must pass`,
        ]
      : []),
    ...(open.length > 0 ? [`    ${openLine}`] : []),
  ];
};

const indented = (line: string): string => `    ${line}`;

const quoted = (text: string): string => (/^[A-Za-z0-9_./-]+$/.test(text) ? text : JSON.stringify(text));

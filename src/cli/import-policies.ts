import type { Operation } from "../config/openapi/operations.ts";
import type { BundledDocument } from "../core/operation.ts";
import { isCredentialParameter } from "../lib/http/credential-parameters.ts";

/** What is there already that policies of callers can rest on. */
export interface Callers {
  readonly issuers: readonly string[];
  readonly consumers: readonly string[];
}

/** A policy that a security scheme of a document suggests. */
export interface Suggestion {
  /** One line below `policies:`. */
  readonly line: string;
  /** The schemes that it stands for. */
  readonly schemes: readonly string[];
  /** What is missing before it can be attached; undefined where nothing is. */
  readonly missing: string | undefined;
}

/** What a document says of who may call. */
export interface Advice {
  readonly suggestions: readonly Suggestion[];
  /** Schemes that no policy stands for. */
  readonly unknown: readonly string[];
  /** Operations that ask for nothing. */
  readonly open: readonly Operation[];
  /** Whether each that asks for something asks for one and the same scheme. */
  readonly single: boolean;
}

/** Reads a document's security requirements as advice on policies. */
export const adviceOf = (document: BundledDocument, list: readonly Operation[], callers: Callers): Advice => {
  const asking = list.filter(({ info }) => !isOpen(info.security));
  const combinations = new Set(
    asking.flatMap(({ info }) => (info.security ?? []).map((one) => Object.keys(one).sort().join(" "))),
  );
  const schemes = [...new Set([...combinations].flatMap((names) => names.split(" ")))].sort();
  const byLine = new Map<string, Suggestion>();
  const unknown: string[] = [];
  for (const scheme of schemes) {
    const suggestion = suggestionOf(scheme, document, callers);
    if (suggestion === undefined) unknown.push(scheme);
    else {
      const known = byLine.get(suggestion.line);
      byLine.set(suggestion.line, { ...suggestion, schemes: [...(known?.schemes ?? []), scheme] });
    }
  }
  return {
    suggestions: [...byLine.values()],
    unknown,
    open: list.filter(({ info }) => isOpen(info.security)),
    single: combinations.size === 1 && byLine.size === 1,
  };
};

const isOpen = (security: Operation["info"]["security"]): boolean =>
  security === undefined || security.length === 0 || security.some((one) => Object.keys(one).length === 0);

const suggestionOf = (
  scheme: string,
  document: BundledDocument,
  { issuers, consumers }: Callers,
): Suggestion | undefined => {
  const schemes = record(record(document.json["components"])["securitySchemes"]);
  const described = record(document.resolve(schemes[scheme] as BundledDocument["json"] | undefined));
  const kind = described["type"] === "http" ? String(described["scheme"]).toLowerCase() : described["type"];
  const needConsumers = consumers.length > 0 ? undefined : "describe `consumers:` first";
  switch (kind) {
    case "bearer":
    case "oauth2":
    case "openIdConnect": {
      const [issuer = "main", ...more] = issuers;
      return {
        line: `jwt: { issuers: [${issuer}] }`,
        schemes: [scheme],
        missing:
          issuers.length === 0
            ? "describe the issuer under `issuers:` first"
            : more.length > 0
              ? `choose among the issuers ${issuers.join(", ")}`
              : undefined,
      };
    }
    case "apiKey":
      return keySuggestion(scheme, described, needConsumers);
    case "basic":
      return { line: "basicAuth: {}", schemes: [scheme], missing: needConsumers };
    case "mutualTLS":
      return { line: "clientCertificate: {}", schemes: [scheme], missing: needConsumers };
    default:
      return undefined;
  }
};

const keySuggestion = (
  scheme: string,
  described: Readonly<Record<string, unknown>>,
  missing: string | undefined,
): Suggestion | undefined => {
  const { in: place, name } = described;
  if (typeof name !== "string" || !/^[A-Za-z0-9_.-]+$/.test(name)) return undefined;
  const schemes = [scheme];
  if (place === "header" && name.toLowerCase() === "authorization")
    return { line: "apiKey: { from: { scheme: ApiKey } }", schemes, missing: missing ?? "choose the scheme" };
  if (place === "header")
    return { line: `apiKey: { from: { header: ${JSON.stringify(name.toLowerCase())} } }`, schemes, missing };
  if (place === "cookie")
    return { line: `apiKey: { from: { cookie: ${JSON.stringify(name)} } }`, schemes, missing };
  return isCredentialParameter(name)
    ? { line: `apiKey: { from: { query: ${JSON.stringify(name)} } }`, schemes, missing }
    : undefined;
};

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};

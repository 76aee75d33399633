import { explain } from "../shapes.ts";

/** An origin as browsers write it, or one whose host begins with `*.`, which stands for one or more labels. */
export interface OriginPattern {
  /** What the origin begins with: the scheme and `://`, and the host where there is no wildcard. */
  readonly prefix: string;
  /** What it ends with after the wildcard, from the dot on; undefined where there is no wildcard. */
  readonly suffix?: string;
}

const SHAPE = /^([a-z][a-z0-9+.-]*):\/\/(\*\.)?(\[[0-9a-f:.]+\]|[^\s/?#@\\:[\]*]+)(?::(\d{1,5}))?$/i;

/**
 * Reads an origin as people write it and brings it to the form in which browsers serialize it (RFC 6454 section 6.2): lower
 * case, the host in its ASCII form, a default port left out. Answers two lines, the fault and the remedy, for anything else.
 */
export const parseOrigin = (text: string): OriginPattern | { readonly fault: string } => {
  if (text === "null") return { prefix: "null" };
  const found = SHAPE.exec(text);
  if (found === null) return { fault: faultOf(text) };
  const [, scheme = "", wildcard, host = "", port] = found;
  const authority = authorityOf(scheme.toLowerCase(), (wildcard === undefined ? "" : "any.") + host, port);
  if (authority === undefined) return { fault: faultOf(text) };
  const start = `${scheme.toLowerCase()}://`;
  return wildcard === undefined
    ? { prefix: start + authority }
    : { prefix: start, suffix: authority.slice("any".length) };
};

const authorityOf = (scheme: string, host: string, port: string | undefined): string | undefined => {
  if (Number(port ?? 0) > 65_535) return undefined;
  const authority = port === undefined ? host : `${host}:${Number(port)}`;
  // Only http and https have hosts that browsers rewrite; an app's scheme keeps what it was given.
  if (scheme !== "http" && scheme !== "https") return authority.toLowerCase();
  return URL.parse(`${scheme}://${authority}`)?.host;
};

const faultOf = (text: string): string => {
  if (text === "*" || text === "any") {
    return explain(`"${text}" is no origin.`, "Write `origins: any`, without a list, to allow every origin.");
  }
  const example = "https://shop.example.com or https://*.example.com";
  const withPath = /^([a-z][a-z0-9+.-]*:\/\/[^/?#]+)[/?#]/i.exec(text);
  if (withPath !== null)
    return explain(
      `"${text}" is no origin: an origin has no path.`,
      `Write only scheme, host and port: ${withPath[1]}`,
    );
  if (!text.includes("://"))
    return explain(
      `"${text}" is no origin: its scheme is missing.`,
      `Write scheme, host and port: ${example}.`,
    );
  if (text.includes("*")) {
    return explain(
      `"${text}" is no origin: a wildcard stands for whole labels, at the front.`,
      "Write it as https://*.example.com.",
    );
  }
  return explain(`"${text}" is no origin.`, `Write scheme, host and port: ${example}.`);
};

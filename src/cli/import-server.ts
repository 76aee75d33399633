import type { Json } from "../core/json.ts";
import type { BundledDocument } from "../core/operation.ts";
import { isPrivateHost } from "../policies/network.ts";
import { CommandFailed } from "./failure.ts";

/** Where a document's service is, and what stands before its paths in public. */
export interface Server {
  /** Origin and base path, without a slash at the end. */
  readonly url: string;
  readonly prefix: string | undefined;
  /** Whether the caller named an address of a network of one's own; that a document names one permits nothing. */
  readonly isPrivate: boolean;
}

/**
 * The service of a document: its first server with defaults for variables, or the one that the caller names. A server that
 * is only a path is one below the named one.
 */
export const serverOf = ({ json }: BundledDocument, named: string | undefined): Server => {
  const servers = json["servers"];
  const written = textOf(Array.isArray(servers) ? servers[0] : undefined);
  const isPath = !/^[a-z][a-z0-9+.-]*:/i.test(written) && !written.startsWith("//");
  if (named === undefined && (isPath || !URL.canParse(written)))
    throw new CommandFailed(
      2,
      written === "/"
        ? "The document names no server."
        : `The document's server is "${written}", which names no host.`,
      "Say where the service is: --upstream https://api.example.com",
    );
  const server = URL.parse(written, "http://server.invalid");
  if (server === null || /[{}]/.test(written))
    throw new CommandFailed(2, `"${written}" is no URL of a server.`, "Correct `servers` in the document.");
  const path = trimmed(decodeBraces(server.pathname));
  const target = named === undefined ? server : URL.parse(named);
  if (target === null || !/^https?:$/.test(target.protocol) || target.username !== "" || target.search !== "")
    throw new CommandFailed(
      2,
      `"${named ?? written}" is no URL of a service.`,
      "Write one by http or https, without a credential: --upstream https://api.example.com",
    );
  const base = trimmed(target.pathname);
  return {
    url: target.origin + (base === "" ? path : base),
    prefix: path === "" ? undefined : path,
    isPrivate: named !== undefined && isPrivateHost(target.hostname),
  };
};

const trimmed = (path: string): string => path.replace(/\/+$/, "");
const decodeBraces = (path: string): string => path.replaceAll(/%7b/gi, "{").replaceAll(/%7d/gi, "}");

/** A server's URL with the defaults of its variables filled in; `/` where there is none (OpenAPI 3.1 section 4.8.1.1). */
const textOf = (server: Json | undefined): string => {
  const { url, variables } = record(server);
  if (typeof url !== "string") return "/";
  return url.replaceAll(/\{([^{}]*)\}/g, (whole, name: string) => {
    const value = record(record(variables)[name])["default"];
    return typeof value === "string" ? value : whole;
  });
};

const record = (value: unknown): Readonly<Record<string, Json>> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, Json>) : {};

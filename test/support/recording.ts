import { readSources } from "../../src/adapters/node/files.ts";
import { compileTree, type SeenRoute } from "../../src/compiler/compile.ts";
import type { MatchIr } from "../../src/compiler/ir.ts";
import { type Documents, readTree } from "../../src/config/load.ts";
import { publicContract } from "../../src/contract/public.ts";
import { type Exchange, Recorder } from "./recorder.ts";

/** Recorders of the gateways that run, by their origins. */
const recorders = new Map<string, Recorder>();
const plainFetch = globalThis.fetch;

/** A public document says nothing of a route that takes any method; here it is to say what it would of each. */
const spelledOut = (match: MatchIr): MatchIr =>
  match.methods.length > 0 ? match : { ...match, methods: ["DELETE", "GET", "PATCH", "POST", "PUT"] };

/** What has more is a table for the router's sake, in which routes overlap that no document can tell apart. */
const MOST_ROUTES = 200;

/** Bodies that may be long, or go on, are left to who asked for them. */
const isProblem = (response: Response): boolean =>
  response.headers.get("content-type") === "application/problem+json";

/**
 * From now on whatever `fetch` gets of a gateway has to be as its public document says: status, media type, fields, and the
 * bodies of problems. Policies that cannot be compiled, or change while they are served, have none.
 */
export const record = async (
  url: string,
  folders: { readonly policies: string; readonly openapi: string },
  args: readonly string[],
): Promise<void> => {
  if (args.includes("--watch")) return;
  const sources = await readSources(folders.policies, folders.openapi);
  const read = readTree(sources.policies);
  const environment = args[args.indexOf("--env") + 1];
  let documents: Documents | undefined;
  const routes: SeenRoute[] = [];
  const { value: plan } = compileTree(
    read.value!,
    sources,
    args.includes("--env") ? environment : undefined,
    read.diagnostics,
    {
      documents: (it) => {
        documents = it;
      },
      route: (seen) =>
        routes.push({ ...seen, route: { ...seen.route, matches: seen.route.matches.map(spelledOut) } }),
    },
  );
  if (plan === undefined || documents === undefined || routes.length > MOST_ROUTES) return;
  const value = publicContract({ documents, plan, routes });
  recorders.set(url, new Recorder(value.document));
  globalThis.fetch = recordingFetch;
};

/** The gateway has ended. */
export const stopRecording = (url: string): void => void recorders.delete(url);

const recordingFetch: typeof fetch = async (input, init) => {
  const response = await plainFetch(input, init);
  const { status, headers, url } = response;
  if (!recorders.has(URL.parse(url)?.origin ?? "")) return response;
  const method = (init?.method ?? (input instanceof Request ? input.method : "GET")).toUpperCase();
  const body = isProblem(response) ? await response.clone().text() : undefined;
  expectDocumented({ method, url, status, headers, body });
  return response;
};

/** Throws where an answer of a gateway that is recorded is not as documented. */
export const expectDocumented = (exchange: Exchange): void => {
  const url = URL.parse(exchange.url);
  const faults = recorders.get(url?.origin ?? "")?.check(exchange) ?? [];
  if (faults.length > 0) throw new Error(`This is not as the public document says:\n${faults.join("\n")}`);
};

import type { Ports } from "../../core/ports.ts";
import { within } from "../../lib/within.ts";
import type { RemoteJwksPlan } from "./issuer-plan.ts";
import { readKeySet, type VerifyKey } from "./verify-key.ts";

/** How long an issuer may take for its keys, body included. */
export const PATIENCE_MS = 5000;
const MOST_BYTES = 64 * 1024;

/**
 * Fetches a key set. Rejects, with a reason for the log, for anything but 200 with at most 64 KiB of a JSON Web Key Set
 * within five seconds. Redirects are not followed: where keys come from is said in the policies and nowhere else.
 */
export const fetchKeySet = (plan: RemoteJwksPlan, ports: Ports): Promise<readonly VerifyKey[]> =>
  within(PATIENCE_MS, (signal) => load(plan, ports, signal));

const load = async ({ url, network }: RemoteJwksPlan, ports: Ports, signal: AbortSignal) => {
  const fetcher = ports.fetch.open({ network });
  if (fetcher === undefined) throw new Error("there is no network");
  const headers = { accept: "application/jwk-set+json, application/json" };
  const response = await fetcher.fetch(url, { redirect: "manual", headers, signal });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error("status " + response.status);
  }
  const keys = readKeySet(parsed(await textOf(response)));
  if (keys === undefined) throw new Error("not a key set");
  return keys;
};

/** The parser's own error would quote the text in a log. */
const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** The body as text, given up as soon as it is too long, whatever its Content-Length said. */
const textOf = async (response: Response): Promise<string> => {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (let bytes = 0; ; ) {
    const chunk = await reader?.read();
    if (chunk === undefined || chunk.done) return text + decoder.decode();
    bytes += chunk.value.length;
    if (bytes > MOST_BYTES) {
      await reader?.cancel();
      throw new Error("longer than 64 KiB");
    }
    text += decoder.decode(chunk.value, { stream: true });
  }
};

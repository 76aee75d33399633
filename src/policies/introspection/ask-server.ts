import type { Network, Ports } from "../../core/ports.ts";
import { encodeBase64 } from "../../lib/base64.ts";
import { readWhole } from "../../lib/read-whole.ts";
import { within } from "../../lib/within.ts";

/** The authorization server that knows the tokens, as it stands in the plan. */
export type ServerPlan = {
  readonly url: string;
  readonly network: Network;
  /** How the gateway proves itself there; the secret by its name. */
  readonly clientId: string;
  readonly secret: string;
  readonly timeoutMs: number;
  /** How long an answer that a token is good is believed at most. */
  readonly cacheForMs: number;
};

/** What the server says of a token that it calls active; undefined for any other. */
export type Said = Readonly<Record<string, unknown>> | undefined;

const MOST_BYTES = 64 * 1024;

/**
 * Asks the server for a token (RFC 7662 section 2.1). Rejects, with a reason for the log, for anything but 200 with an answer of at
 * most 64 KiB in time, in which `active` is a boolean. Redirects are not followed: a token goes nowhere else.
 */
export const askServer = (plan: ServerPlan, token: string, ports: Ports): Promise<Said> =>
  within(plan.timeoutMs, (signal) => ask(plan, token, ports, signal));

const ask = async (plan: ServerPlan, token: string, ports: Ports, signal: AbortSignal): Promise<Said> => {
  const fetcher = ports.fetch.open({ network: plan.network });
  if (fetcher === undefined) throw new Error("there is no network");
  const response = await fetcher.fetch(plan.url, {
    method: "POST",
    redirect: "manual",
    signal,
    headers: {
      authorization: basic(plan, ports),
      accept: "application/json",
      "content-type": "application/x-www-form-urlencoded",
    },
    body: new URLSearchParams({ token, token_type_hint: "access_token" }).toString(),
  });
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    throw new Error(`status ${response.status}`);
  }
  const read = await readWhole(response.body.getReader(), MOST_BYTES);
  if (typeof read === "string") throw new Error(`a body that is ${read}`);
  const said = parsed(read);
  if (typeof said?.["active"] !== "boolean") throw new Error("an answer that is none");
  return said["active"] ? said : undefined;
};

/** Name and secret are escaped as in a form before they are joined (RFC 6749 section 2.3.1). */
const basic = ({ clientId, secret }: ServerPlan, { secrets }: Ports): string => {
  const [id, password] = [clientId, secrets.get(secret) ?? ""].map((text) =>
    new URLSearchParams({ "": text }).toString().slice(1),
  );
  return `Basic ${encodeBase64(new TextEncoder().encode(`${id}:${password}`))}`;
};

/** The parser's own error would quote the answer in a log. */
const parsed = (bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? { ...(value as Record<string, unknown>) }
      : undefined;
  } catch {
    return undefined;
  }
};

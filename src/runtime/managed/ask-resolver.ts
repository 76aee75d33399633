import type { Fetcher } from "../../core/ports.ts";
import type { DiscoveryPlan } from "../../core/upstream-plan.ts";
import { type DnsMessage, readDnsMessage, TYPE_NUMBERS } from "../../lib/dns/message.ts";
import { within } from "../../lib/within.ts";

/** How long a resolver may take, body included: while nothing is known, requests wait for it. */
export const PATIENCE_MS = 3000;

/** The longest message of DNS. */
const MOST_BYTES = 65_535;
const MEDIA_TYPE = "application/dns-message";

/** An answer to the question of a plan, and for how many seconds caches on the way held it. */
export interface Answer {
  readonly message: DnsMessage;
  readonly ageSeconds: number;
}

/**
 * Asks the resolver (RFC 8484). Rejects, with a reason for the log, for anything but 200 with a DNS message that answers what
 * was asked, within three seconds. Redirects are not followed: who names targets is said in the policies and nowhere else.
 */
export const askResolver = (plan: DiscoveryPlan, fetcher: Fetcher): Promise<Answer> =>
  within(PATIENCE_MS, (signal) => ask(plan, fetcher, signal));

const ask = async (plan: DiscoveryPlan, fetcher: Fetcher, signal: AbortSignal): Promise<Answer> => {
  const headers = { accept: MEDIA_TYPE };
  const response = await fetcher.fetch(plan.url, { redirect: "manual", headers, signal });
  const fault = headerFault(response);
  if (fault !== undefined) {
    await response.body?.cancel();
    throw new Error(fault);
  }
  const message = readDnsMessage(await bytesOf(response));
  if (message === undefined) throw new Error("not a DNS message");
  const { question, truncated, rcode } = message;
  if (question.name !== plan.name || question.type !== TYPE_NUMBERS[plan.type])
    throw new Error("an answer to another question");
  if (truncated) throw new Error("a truncated answer");
  if (rcode !== 0 && rcode !== 3) throw new Error("DNS error " + rcode);
  return { message, ageSeconds: secondsOf(response.headers.get("age")) };
};

const headerFault = ({ status, headers }: Response): string | undefined => {
  if (status !== 200) return "status " + status;
  const type = headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  return type === MEDIA_TYPE ? undefined : "not of the type " + MEDIA_TYPE;
};

/** RFC 9111 section 5.1; what is no number counts as none. */
const secondsOf = (age: string | null): number => (age !== null && /^\d{1,9}$/.test(age) ? Number(age) : 0);

/** The body, given up as soon as it is too long, whatever its Content-Length said. */
const bytesOf = async (response: Response): Promise<Uint8Array> => {
  const reader = response.body?.getReader();
  const bytes = new Uint8Array(MOST_BYTES);
  for (let length = 0; ; ) {
    const chunk = await reader?.read();
    if (chunk === undefined || chunk.done) return bytes.subarray(0, length);
    if (length + chunk.value.length > MOST_BYTES) {
      await reader?.cancel();
      throw new Error("longer than 64 KiB");
    }
    bytes.set(chunk.value, length);
    length += chunk.value.length;
  }
};

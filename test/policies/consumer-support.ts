import { createHash } from "node:crypto";
import type { ConsumersPlan } from "../../src/core/consumer-keys.ts";
import type { Authenticator, Verdict } from "../../src/core/identity.ts";
import type { ConsumerInfo } from "../../src/core/policy.ts";
import { composeKey } from "../../src/lib/api-key.ts";
import { fakeExchange, fakeSite } from "../support/ports.ts";

export const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

/** A well-formed key for each number. */
export const keyOf = (seed: number): string => composeKey("test", new Uint8Array(32).fill(seed));

/** Two consumers: `acme` has two keys and attributes, `small` one key, and the old one of `acme` is over. */
export const consumersPlan: ConsumersPlan = {
  acme: {
    plan: "gold",
    attributes: { tenant: "acme", regions: ["eu", "us"], level: 3 },
    keys: [
      { id: "k1", sha256: digest(keyOf(1)) },
      { id: "k2", sha256: digest(keyOf(2)) },
      { id: "k0", sha256: digest(keyOf(3)), expiresMs: 0 },
    ],
  },
  small: { plan: "free", attributes: {}, keys: [{ id: "k1", sha256: digest(keyOf(4)) }] },
};

/** A site whose plan holds them. */
export const consumerSite = () => fakeSite({ consumers: consumersPlan });

/** The same as policies see them when they are compiled. */
export const consumerInfos = (plan = consumersPlan): ReadonlyMap<string, ConsumerInfo> =>
  new Map(Object.entries(plan).map(([name, it]) => [name, { name, ...it }]));

/** What a policy says of a request. */
export const judge = async (
  policy: Authenticator,
  headers: Record<string, string>,
  url = "/",
): Promise<Verdict> =>
  policy.authenticate(fakeExchange(new Request(new URL(url, "https://api.example.com"), { headers })));

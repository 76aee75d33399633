import { z } from "zod";
import { type CompileContext, definePolicy, type Instance } from "../../core/policy.ts";
import type { AddressSet } from "../../lib/address-set.ts";
import { type Network, parseNetwork } from "../network.ts";
import { explain } from "../shapes.ts";
import { describe } from "./describe.ts";
import type { Step } from "./filter.ts";
import {
  addressSet,
  covered,
  difference,
  EVERYBODY,
  holds,
  intersection,
  isEmpty,
  type NetworkSet,
  setOf,
} from "./networks.ts";

const network = () =>
  z
    .string({
      error: () => explain("An address is a text.", 'Write it in quotes: "192.0.2.1" or "10.0.0.0/8".'),
    })
    .transform((text, context): Network => {
      const parsed = parseNetwork(text);
      if (!("wrong" in parsed)) return parsed;
      context.addIssue({
        code: "custom",
        message: explain(parsed.wrong, parsed.remedy),
        params: { code: "bad-network" },
      });
      return z.NEVER;
    });

const networks = () =>
  z
    .array(network())
    .min(1, explain("No address is listed.", "List at least one, or remove the key."))
    .optional();

const schema = z
  .strictObject({
    allow: networks().describe(
      "Addresses and networks that may call, such as 192.0.2.1, 10.0.0.0/8 or 2001:db8::/32; all others are refused with 403. IPv4 networks take IPv4-mapped IPv6 addresses too; ::/0 takes no IPv4 address.",
    ),
    deny: networks().describe(
      "Addresses and networks that are refused, whatever `allow` says. An address that is unknown is always refused.",
    ),
  })
  .superRefine(({ allow, deny }, context) => {
    if (allow !== undefined || deny !== undefined) return;
    context.addIssue({
      code: "custom",
      message: explain("No address is allowed or refused.", "Write `allow`, `deny` or both, or remove it."),
      params: { code: "empty-access", onKey: true },
    });
  });

type Config = z.output<typeof schema>;

export const ipAccess = definePolicy({
  name: "ipAccess",
  summary: "Lets clients in by their addresses; the lists of all levels hold, and `deny` beats `allow`.",
  attachment: "guard",
  schema,
  compile: (instances, context): Step => {
    if (context.gateway.clientIp === undefined) reportUnknownClients(instances, context);
    for (const instance of instances) reportNeedless(instance, context);
    reportNobody(instances, context);
    const share = (instance: Instance<Config>): string =>
      context.share(`ipAccess.${instance.node}`, readingOf(instance.config).plan);
    return { sets: instances.map(share) };
  },
  describe,
  filter: () => import("./filter.ts"),
});

/** An entry without an effect: where it stands, and what holds all of it; nothing where `deny` does. */
interface Needless {
  readonly key: "allow" | "deny";
  readonly index: number;
  readonly by?: Network;
}

/** What a configuration comes to. */
interface Reading {
  /** Who may pass. */
  readonly set: NetworkSet;
  readonly plan: AddressSet;
  readonly needless: readonly Needless[];
}

const readings = new WeakMap<Config, Reading>();

/** Many routes share a configuration, and a list may be long. */
const readingOf = (config: Config): Reading => {
  const known = readings.get(config);
  if (known !== undefined) return known;
  const { allow, deny = [] } = config;
  const denied = setOf(deny);
  const set = difference(allow === undefined ? EVERYBODY : setOf(allow), denied);
  const reading = { set, plan: addressSet(set), needless: needlessOf(config, denied) };
  readings.set(config, reading);
  return reading;
};

const needlessOf = ({ allow = [], deny = [] }: Config, denied: NetworkSet): readonly Needless[] => {
  const refused = allow.flatMap((entry, index): Needless[] =>
    holds(denied, entry) ? [{ key: "allow", index }] : [],
  );
  const inside = (key: Needless["key"], list: readonly Network[]): Needless[] =>
    [...covered(list)].map(([index, by]) => ({ key, index, by }));
  const allowed = inside("allow", allow).filter(({ index }) => !holds(denied, allow[index]!));
  return [...refused, ...allowed, ...inside("deny", deny)];
};

const reportUnknownClients = (instances: readonly Instance<Config>[], context: CompileContext): void => {
  for (const instance of instances)
    context.report(instance, [], {
      code: "client-ip-unknown",
      message: "The gateway does not know the addresses of its clients.",
      remedy: "Write `clientIp:` under `gateway:`, with cloudflare, connection or forwardedFor.",
      onKey: true,
    });
};

const reportNeedless = (instance: Instance<Config>, context: CompileContext): void => {
  for (const { key, index, by } of readingOf(instance.config).needless) {
    const { text } = instance.config[key]![index]!;
    context.report(
      instance,
      [key, index],
      by === undefined
        ? {
            code: "allowed-and-denied",
            severity: "warning",
            message: `"${text}" is refused by \`deny\`, which beats \`allow\`.`,
            remedy: "Remove it from one of the two.",
          }
        : {
            code: "covered-network",
            severity: "warning",
            message: by.text === text ? `"${text}" is listed twice.` : `"${text}" is a part of "${by.text}".`,
            remedy: "Remove one of the two.",
          },
    );
  }
};

/** Lists of several levels that have no address in common close a route without saying so. */
const reportNobody = (instances: readonly Instance<Config>[], context: CompileContext): void => {
  const inner = instances.at(-1);
  if (inner === undefined || !leavesNobody(instances)) return;
  context.report(inner, [], {
    code: "nobody-allowed",
    severity: "warning",
    message: "No address passes this list and those of the levels above.",
    remedy: "Allow here what the levels above allow too, or change their lists.",
    onKey: true,
  });
};

const closed = new WeakMap<Config, boolean>();

/** The levels above a configuration are the same on every route that has it. */
const leavesNobody = (instances: readonly Instance<Config>[]): boolean => {
  const inner = instances.at(-1)!.config;
  if (instances.length < 2) return false;
  const known = closed.get(inner);
  if (known !== undefined) return known;
  const sets = instances.map(({ config }) => readingOf(config).set);
  // What one list alone makes of it is told at its entries.
  const nobody = !sets.some(isEmpty) && isEmpty(sets.reduce(intersection));
  closed.set(inner, nobody);
  return nobody;
};

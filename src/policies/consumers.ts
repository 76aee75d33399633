import { z } from "zod";
import { CONSUMERS, type ConsumersPlan } from "../core/consumer-keys.ts";
import type { ConsumerStep } from "../core/consumer-verdicts.ts";
import { NOT_FORWARDED } from "../core/forwarded-fields.ts";
import type { CompileContext, ConsumerInfo, Fault, Instance, Path } from "../core/policy.ts";
import { explain, headerName } from "./shapes.ts";

const names = (what: string) =>
  z
    .array(z.string())
    .min(1, explain(`The list names no ${what}.`, "Name at least one, or remove the list."))
    .optional();

/** The keys of a policy that identifies consumers by their keys. */
export const consumerShape = {
  consumers: names("consumer").describe(
    "Who of those under `consumers:` may call, by name; all by default, and others get 403.",
  ),
  plans: names("plan").describe("Lets in only consumers with one of these plans; others get 403."),
  forward: z
    .record(
      headerName(),
      z
        .string()
        .regex(
          /^(?:name|plan|attributes\..+)$/,
          explain(
            "This is nothing that is known of a consumer.",
            "Write name, plan or attributes.x: { x-consumer: name, x-tenant: attributes.tenant }.",
          ),
        ),
    )
    .default({})
    .describe(
      "Headers for the upstream and what of the consumer stands in them: `name`, `plan` or `attributes.x`; whatever a client sends there is deleted.",
    ),
};

interface Config {
  readonly consumers?: readonly string[] | undefined;
  readonly plans?: readonly string[] | undefined;
  readonly forward: Readonly<Record<string, string>>;
}

/** Puts the consumers into the plan, lets in those whom the policy means, and says what is wrong with that. */
export const admitConsumers = (instance: Instance<Config>, context: CompileContext): ConsumerStep => {
  const { config } = instance;
  const allowed = admitted(instance, context);
  for (const { name } of allowed) context.consumers.get(name);
  checkForward(instance, context);
  context.share(CONSUMERS, consumersPlan(context.consumers));
  const isNarrowed = config.consumers !== undefined || config.plans !== undefined;
  return { allowed: isNarrowed ? allowed.map(({ name }) => name) : null, forward: config.forward };
};

const plans = new WeakMap<ConsumerInfo, ConsumersPlan>();

/** The consumers as they stand in the plan: made once for all routes, since there may be many. */
const consumersPlan = (consumers: CompileContext["consumers"]): ConsumersPlan => {
  const first = consumers.values().next().value;
  const known = first && plans.get(first);
  if (known !== undefined) return known;
  const made = Object.fromEntries(
    [...consumers.values()].map(({ name, plan, attributes, keys }) => [
      name,
      { ...(plan !== undefined && { plan }), attributes, keys: keys.map((key) => ({ ...key })) },
    ]),
  );
  if (first !== undefined) plans.set(first, made);
  return made;
};

/** The consumers who may call and have a key to do it with. */
const admitted = (instance: Instance<Config>, context: CompileContext): readonly ConsumerInfo[] => {
  const tell = teller(instance, context);
  if (context.consumers.size === 0) {
    tell(
      [],
      "no-consumers",
      "There is no consumer, so no key can be good.",
      "Write who may call under `consumers:`.",
      true,
    );
    return [];
  }
  const { consumers: wanted, plans: wantedPlans } = instance.config;
  const areKnown = [checkNames(instance, context), checkPlans(instance, context)].every(Boolean);
  const chosen = [...context.consumers.values()].filter(
    ({ name, plan }) =>
      wanted?.includes(name) !== false && (wantedPlans === undefined || wantedPlans.includes(plan ?? "")),
  );
  const able = chosen.filter(({ keys }) => keys.length > 0 || context.gateway.keysAreStored === true);
  if (chosen.length === 0 && areKnown)
    tell(
      [wantedPlans === undefined ? "consumers" : "plans"],
      "nobody-allowed",
      wanted === undefined
        ? "No consumer has one of these plans."
        : "None of these consumers has one of these plans.",
      "Name the plan of a consumer, or give one of them this plan.",
    );
  else if (able.length === 0 && areKnown)
    tell(
      [],
      "no-consumer-keys",
      "None of the consumers who may call has a key.",
      `Make one with \`postern key new ${chosen[0]!.name}\`, and write what it prints under its \`keys\`.`,
      true,
    );
  return able;
};

type Tell = (at: Path, code: string, message: string, remedy: string, onKey?: boolean) => void;

const teller =
  (instance: Instance<unknown>, context: CompileContext): Tell =>
  (at, code, message, remedy, onKey = false) => {
    const told: Fault = { code, message, remedy, onKey, aboutCallers: true };
    context.report(instance, at, told);
  };

/** Whether the list names consumers that there are. */
const checkNames = (instance: Instance<Config>, context: CompileContext): boolean => {
  const tell = teller(instance, context);
  const known = [...context.consumers.keys()];
  let areKnown = true;
  for (const [index, name] of (instance.config.consumers ?? []).entries()) {
    if (known.includes(name)) continue;
    areKnown = false;
    tell(
      ["consumers", index],
      "unknown-name",
      `There is no consumer "${name}".`,
      `Write one of ${known.slice(0, 10).join(", ")}, or add it under \`consumers:\`.`,
    );
  }
  return areKnown;
};

/** Whether the list names plans that there are. */
const checkPlans = (instance: Instance<Config>, context: CompileContext): boolean => {
  const tell = teller(instance, context);
  const known = [...context.plans.keys()];
  let areKnown = true;
  for (const [index, name] of (instance.config.plans ?? []).entries()) {
    if (known.includes(name)) continue;
    areKnown = false;
    const others = known.length === 0 ? "Add it" : `Write one of ${known.join(", ")}, or add it`;
    tell(["plans", index], "unknown-name", `There is no plan "${name}".`, `${others} under \`plans:\`.`);
  }
  return areKnown;
};

/** What is forwarded is there for some consumer, whether that one may call or not, and stands in a field that may carry it. */
const checkForward = (instance: Instance<Config>, context: CompileContext): void => {
  const tell = teller(instance, context);
  const known = new Set([...context.consumers.values()].flatMap(({ attributes }) => Object.keys(attributes)));
  for (const [header, source] of Object.entries(instance.config.forward)) {
    if (NOT_FORWARDED.has(header))
      context.report(instance, ["forward"], {
        code: "bad-name",
        message: `The header "${header}" belongs to the connection, and cannot carry what is known of a consumer.`,
        remedy: "Write a header of your own: x-consumer.",
      });
    const attribute = source.startsWith("attributes.") ? source.slice("attributes.".length) : undefined;
    if (attribute === undefined || known.has(attribute) || context.consumers.size === 0) continue;
    tell(
      ["forward", header],
      "unknown-name",
      `No consumer has an attribute "${attribute}".`,
      known.size === 0
        ? "Write it under `attributes` of a consumer."
        : `Write one of ${[...known]
            .sort()
            .map((name) => `attributes.${name}`)
            .join(", ")}, or add it to a consumer.`,
    );
  }
};

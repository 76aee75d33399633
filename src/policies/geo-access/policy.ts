import { z } from "zod";
import { type CompileContext, definePolicy, type Instance } from "../../core/policy.ts";
import { explain } from "../shapes.ts";
import { countryMeant, isCountry } from "./countries.ts";
import { describe } from "./describe.ts";
import type { Step } from "./filter.ts";

const country = () =>
  z
    .string({
      error: () => explain("A country is written as a text.", "Write its two letters in capitals: [DE, AT]."),
    })
    .superRefine((text, context) => {
      if (isCountry(text)) return;
      const meant = countryMeant(text);
      context.addIssue({
        code: "custom",
        message: explain(
          `"${text}" is not the code of a country.`,
          meant === undefined
            ? "Write two letters in capitals (ISO 3166-1): [DE, AT]; or T1 for Tor, XX for where no country is known."
            : `Did you mean "${meant}"?`,
        ),
        params: { code: "unknown-country" },
      });
    });

const countries = () =>
  z
    .array(country())
    .min(1, explain("No country is listed.", "List at least one, or remove the key."))
    .superRefine((codes, context) => {
      for (const [index, code] of codes.entries()) {
        if (codes.indexOf(code) === index) continue;
        context.addIssue({
          code: "custom",
          path: [index],
          message: explain(`"${code}" is listed twice.`, "Remove one of the two."),
          params: { code: "country-twice" },
        });
      }
    })
    .optional();

const schema = z
  .strictObject({
    allow: countries().describe(
      "Countries whose clients may call, by their codes (ISO 3166-1 alpha-2); all others are refused with 403. T1 stands for Tor, XX for addresses of which no country is known.",
    ),
    deny: countries().describe(
      "Countries whose clients are refused, whatever `allow` says. Where no country is known, a client is refused unless `allow` lists XX.",
    ),
  })
  .superRefine(({ allow, deny }, context) => {
    if (allow !== undefined || deny !== undefined) return;
    context.addIssue({
      code: "custom",
      message: explain("No country is allowed or refused.", "Write `allow`, `deny` or both, or remove it."),
      params: { code: "empty-access", onKey: true },
    });
  });

type Config = z.output<typeof schema>;

export const geoAccess = definePolicy({
  name: "geoAccess",
  summary:
    "Lets clients in by the countries that Cloudflare tells of them; the lists of all levels hold, and `deny` beats `allow`.",
  attachment: "guard",
  schema,
  compile: (instances, context): Step | undefined => {
    for (const instance of instances) reportDenied(instance, context);
    const step = instances.map(({ config }) => stepOf(config)).reduce(both);
    if (step.allowed && step.codes.length === 0 && instances.length > 1)
      context.report(instances.at(-1)!, [], {
        code: "nobody-allowed",
        severity: "warning",
        message: "No country passes this list and those of the levels above.",
        remedy: "Allow here what the levels above allow too, or change their lists.",
        onKey: true,
      });
    return isKnown(instances, context) ? step : undefined;
  },
  describe,
  filter: () => import("./filter.ts"),
});

/** One list is enough: of all that may call, or of all that may not. */
const stepOf = ({ allow, deny = [] }: Config): Step =>
  allow === undefined
    ? { allowed: false, codes: [...new Set([...deny, "XX"])].sort() }
    : { allowed: true, codes: allow.filter((code) => !deny.includes(code)).sort() };

/** What passes two steps. */
const both = (one: Step, other: Step): Step => {
  if (one.allowed)
    return { allowed: true, codes: one.codes.filter((code) => other.codes.includes(code) === other.allowed) };
  return other.allowed
    ? both(other, one)
    : { allowed: false, codes: [...new Set([...one.codes, ...other.codes])].sort() };
};

/**
 * Whether the gateway learns of countries. In development it need not: there is no edge in front, and a gateway that refused
 * everybody could not be tried; so there the policy says that it has no effect, and has none.
 */
const isKnown = (instances: readonly Instance<Config>[], context: CompileContext): boolean => {
  const { clientIp, development } = context.gateway;
  if (clientIp === "cloudflare") return true;
  for (const instance of instances)
    context.report(
      instance,
      [],
      development
        ? {
            code: "country-unknown",
            severity: "warning",
            message: "Without Cloudflare no country is known: here every client passes.",
            remedy: "Write `geoAccess: none` in this environment to say that it is meant so.",
            onKey: true,
          }
        : {
            code: "country-unknown",
            message: "Only Cloudflare tells the country of a client.",
            remedy: "Write `clientIp: cloudflare` under `gateway:`, or remove the policy.",
            onKey: true,
          },
    );
  return false;
};

const reportDenied = (instance: Instance<Config>, context: CompileContext): void => {
  const { allow = [], deny = [] } = instance.config;
  for (const [index, code] of allow.entries()) {
    if (!deny.includes(code)) continue;
    context.report(instance, ["allow", index], {
      code: "allowed-and-denied",
      severity: "warning",
      message: `"${code}" is refused by \`deny\`, which beats \`allow\`.`,
      remedy: "Remove it from one of the two.",
    });
  }
};

import type { ConsumerDocument } from "../config/documents/consumer.ts";
import { anyOf, didYouMean } from "../config/faults.ts";
import type { Documents } from "../config/load.ts";
import { fault, placeAt } from "../config/tree.ts";
import type { ConsumerInfo, ConsumerKey, PlanInfo } from "../core/policy.ts";
import { defined } from "./defined.ts";
import type { Report } from "./ir.ts";

const DAY_MS = 86_400_000;

/** The consumers of the documents, in the order of their names. */
export const consumersOf = (documents: Documents, report: Report): ReadonlyMap<string, ConsumerInfo> => {
  checkPlans(documents, report);
  checkDigests(documents, report);
  return new Map(
    documents.consumers
      .toSorted((one, other) => (one.name < other.name ? -1 : 1))
      .map(({ name, value }) => [
        name,
        {
          name,
          attributes: value.attributes,
          keys: value.keys.map(consumerKey),
          ...defined({ plan: value.plan }),
        },
      ]),
  );
};

const consumerKey = ({ id, sha256, expires }: ConsumerDocument["keys"][number]): ConsumerKey => ({
  id,
  sha256,
  // The last day is good to its end.
  ...defined({ expiresMs: expires === undefined ? undefined : Date.parse(expires) + DAY_MS }),
});

/** Plans of the documents by name. */
export const plansOf = ({ plans }: Documents): ReadonlyMap<string, PlanInfo> =>
  new Map(plans.map(({ name, value }) => [name, { rate: value.rate, ...defined({ quota: value.quota }) }]));

/** Attributes of all consumers with the words for their types, as issuers declare those of claims. */
export const attributeTypes = (
  consumers: ReadonlyMap<string, ConsumerInfo>,
): Readonly<Record<string, string>> => {
  const types: Record<string, string> = {};
  for (const { attributes } of consumers.values())
    for (const [name, value] of Object.entries(attributes)) {
      const type = typeOf(value);
      types[name] = (types[name] ?? type) === type ? type : "dyn";
    }
  return types;
};

/** A number may be meant as int or double: what it is compared with tells. */
const typeOf = (value: unknown): string =>
  typeof value === "string"
    ? "string"
    : typeof value === "boolean"
      ? "bool"
      : Array.isArray(value)
        ? "strings"
        : "dyn";

/** Whether consumers, plans or issuers could not all be typed. */
export const areCallersBroken = ({ broken }: Documents): boolean =>
  [...broken].some((path) => /^(consumers|plans|issuers)(\.|$)/.test(path));

/** Each plan of a consumer or an issuer is one that is described. */
const checkPlans = (documents: Documents, report: Report): void => {
  const names = [...(documents.tree.entries?.get("plans")?.entries?.keys() ?? [])];
  for (const { name, tree, value } of [...documents.consumers, ...documents.issuers]) {
    if (value.plan === undefined || names.includes(value.plan) || documents.broken.has("plans")) continue;
    report(
      fault(
        placeAt(tree, ["plan"]),
        "unknown-name",
        `"${name}" has the plan "${value.plan}", and there is none of that name.`,
        didYouMean(value.plan, names) ??
          (names.length > 0
            ? `Name one of ${anyOf(names)}, or describe it under \`plans:\`.`
            : "Describe it under `plans:`."),
      ),
    );
  }
};

/** A key names one consumer, and its id one key. */
const checkDigests = (documents: Documents, report: Report): void => {
  const owners = new Map<string, string>();
  for (const { name, tree, value } of documents.consumers) {
    const ids = new Set<string>();
    for (const [index, { id, sha256 }] of value.keys.entries()) {
      const tell = (key: string, message: string, remedy: string): void =>
        report(fault(placeAt(tree, ["keys", index, key]), "duplicate-consumer-key", message, remedy));
      const owner = owners.get(sha256);
      if (owner !== undefined)
        tell("sha256", `"${owner}" has this key already.`, "Make another with `postern key new`.");
      owners.set(sha256, name);
      if (ids.has(id)) tell("id", `There is another key "${id}" above.`, "Give each key an id of its own.");
      ids.add(id);
    }
  }
};

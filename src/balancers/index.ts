import { z } from "zod";
import type { BalancerPlan } from "../core/upstream-plan.ts";
import { explain, headerName, oneOf } from "../policies/shapes.ts";
import type { HashPlan } from "./hash.ts";

/** An algorithm as policy files and the compiler know it; its code stands in `file` and goes into the bundle if used. */
export interface BalancerType {
  /** One sentence for the reference and the editor. */
  readonly summary: string;
  /** The file in this folder that exports the factory as `balancer`. */
  readonly file: string;
  /** The shape of its settings, `{ <name>: … }`; an algorithm without is written as a word. */
  readonly schema?: z.ZodType;
}

/** The keys that have a name, and the shape of it. */
const namedKeys = {
  header: { what: "header", example: "x-user", shape: headerName() },
  cookie: {
    what: "cookie",
    example: "session",
    shape: z
      .string()
      .regex(
        /^[A-Za-z0-9!#$%&'*+.^`|~_-]+$/,
        explain("This is not the name of a cookie.", "Write the name as it is set: session."),
      ),
  },
  param: {
    what: "path or host parameter",
    example: "userId",
    shape: z
      .string()
      .regex(
        /^[^{}/\s]+$/,
        explain("This is not the name of a parameter.", "Write the name without braces: userId."),
      ),
  },
} as const;

const hashSettings = z
  .strictObject({
    by: oneOf("header", "cookie", "ip", "identity", "param").describe(
      "What is hashed: a header or a cookie of the client's request, the client's address, `identity.id`, or a path or host parameter.",
    ),
    name: z
      .string()
      .optional()
      .describe("Name of the header, cookie or parameter; not for `ip` and `identity`, which have none."),
    fallback: oneOf("random", "ip")
      .optional()
      .describe(
        "What decides where the request has no such key, or an empty one: chance by weight (default), or the client's address.",
      ),
  })
  .superRefine(({ by, name, fallback }, context) => {
    const refuse = (at: string, wrong: string, remedy: string) =>
      context.addIssue({ code: "custom", path: [at], message: explain(wrong, remedy) });
    if (by === "ip" && fallback === "ip")
      refuse("fallback", "An address cannot stand in for itself.", "Leave `fallback` out, or write random.");
    if (by === "ip" || by === "identity") {
      if (name !== undefined)
        refuse("name", `A hash by ${by} takes no name.`, `Write { hash: { by: ${by} } }.`);
      return;
    }
    const { what, example, shape } = namedKeys[by];
    if (name === undefined)
      return refuse(
        "name",
        `A hash by ${by} needs the name of the ${what}.`,
        `Write { hash: { by: ${by}, name: ${example} } }.`,
      );
    for (const issue of shape.safeParse(name).error?.issues ?? [])
      context.addIssue({ code: "custom", path: ["name"], message: issue.message });
  });

/** THE map of algorithms, in the order of the reference; an upstream's `balancer` takes a name from here. */
export const balancers = {
  smoothWeightedRoundRobin: {
    summary:
      "Targets in turn in proportion to their weights, the turns of a heavy one spread out (the default).",
    file: "smooth-weighted-round-robin.ts",
  },
  roundRobin: { summary: "Each target in turn, whatever its weight.", file: "round-robin.ts" },
  weightedRandom: {
    summary: "Any target, with a chance in proportion to its weight.",
    file: "weighted-random.ts",
  },
  random: { summary: "Any target with the same chance, whatever its weight.", file: "random.ts" },
  leastRequest: {
    summary: "Of two targets drawn by weight, the one with fewer requests under way for its weight.",
    file: "least-request.ts",
  },
  leastResponseTime: {
    summary:
      "Of two targets drawn by weight, the one that answered faster lately, its requests under way counted in.",
    file: "least-response-time.ts",
  },
  hash: {
    summary:
      "The same key to the same target for as long as that is usable; targets that come and go move only their share of the keys.",
    file: "hash.ts",
    schema: hashSettings,
  },
} as const satisfies Readonly<Record<string, BalancerType>>;

type BalancerWord = Exclude<keyof typeof balancers, "hash">;

/** File names, without the directory, by the algorithm's name in the plan: what the emitter imports. */
export const balancerFiles: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(balancers).map(([name, { file }]) => [name, file]),
);

const words = Object.keys(balancers).filter((name): name is BalancerWord => name !== "hash");

const toPlan = (config: BalancerWord | { readonly hash: z.output<typeof hashSettings> }): BalancerPlan => {
  if (typeof config === "string") return { name: config };
  const { by, name: field = "", fallback = "random" } = config.hash;
  const plan: HashPlan =
    by === "ip"
      ? { name: "hash", by, fallback: "random" }
      : by === "identity"
        ? { name: "hash", by, fallback }
        : { name: "hash", by, field: by === "header" ? field.toLowerCase() : field, fallback };
  return plan;
};

/** What `balancer:` of an upstream takes: a word, or a map for the one that has settings. Answers the plan. */
export const balancerSchema = z
  .union([z.enum(words), z.strictObject({ hash: balancers.hash.schema.describe(balancers.hash.summary) })])
  .describe(words.map((word) => `${word}: ${balancers[word].summary}`).join(" "))
  .transform(toPlan);

/** The plan where an upstream does not say. */
export const defaultBalancer: BalancerPlan = { name: "smoothWeightedRoundRobin" };

/** Whether a balancer reads the client's address, which a gateway without `clientIp` does not know. */
export const readsClientIp = (plan: BalancerPlan): boolean =>
  plan["by"] === "ip" || plan["fallback"] === "ip";

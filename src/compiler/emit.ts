import type { Plan } from "../core/plan.ts";

/** The files that a plan becomes, by name. */
export interface Emitted {
  readonly "plan.json": string;
  readonly "gateway.ts": string;
}

/** What the emitter must know of the code: where it stands as seen from the entry, and in which file each balancer is. */
export interface EmitSite {
  /** Relative path from the emitted entry to `src`, with slashes. */
  readonly source: string;
  readonly balancerFiles: Readonly<Record<string, string>>;
}

/** Writes a plan and the Worker's entry: the entry imports the filters that the plan uses, and no other. */
export const emit = (plan: Plan, { source, balancerFiles }: EmitSite): Emitted => {
  const filters = unique(plan.steps.map(({ policy }) => policy));
  const authenticators = unique(
    plan.steps
      .filter(({ policy }) => policy === "identity")
      .flatMap(({ step }) => (step as unknown as IdentityStep).authenticators.map(({ policy }) => policy)),
  );
  const balancers = unique(Object.values(plan.upstreams).map(({ balancer }) => balancer.name));
  const lines = [
    "// Generated from the policies; not for editing.",
    `import { createWorker } from ${JSON.stringify(`${source}/worker.ts`)};`,
    ...filters.map(
      (name) =>
        `import { filter as ${name}Filter } from ${JSON.stringify(`${source}/policies/${folderOf(name)}/filter.ts`)};`,
    ),
    ...authenticators.map(
      (name) =>
        `import { authenticator as ${name}Authenticator } from ${JSON.stringify(`${source}/policies/${folderOf(name)}/filter.ts`)};`,
    ),
    ...balancers.map(
      (name) =>
        `import { balancer as ${name}Balancer } from ${JSON.stringify(`${source}/balancers/${balancerFiles[name]}`)};`,
    ),
    `import plan from "./plan.json";`,
    "",
    "export default createWorker(JSON.parse(plan), {",
    `  filters: { ${filters.map((name) => `${name}: ${name}Filter`).join(", ")} },`,
    `  authenticators: { ${authenticators.map((name) => `${name}: ${name}Authenticator`).join(", ")} },`,
    `  balancers: { ${balancers.map((name) => `${name}: ${name}Balancer`).join(", ")} },`,
    "});",
    "",
  ];
  return { "plan.json": JSON.stringify(plan), "gateway.ts": lines.join("\n") };
};

/** What the emitter reads of the identity step. */
interface IdentityStep {
  readonly authenticators: readonly { readonly policy: string }[];
}

const unique = (names: readonly string[]): string[] => [...new Set(names)].sort();

/** The folder of a policy type: its name in kebab case. */
export const folderOf = (name: string): string =>
  name.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);

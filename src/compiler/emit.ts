import { HEALTH_OBJECTS, hasHealthChecks } from "../core/health.ts";
import type { Plan } from "../core/plan.ts";
import type { RedisPort } from "../core/redis.ts";
import { type Part, usedParts } from "./parts.ts";
import { LIBRARY } from "./validators/generate.ts";

/** The files that a plan becomes, by name. */
export interface Emitted {
  readonly "plan.json": string;
  readonly "gateway.ts": string;
  /** Only where a route has something judged. */
  readonly "validators.js"?: string;
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
  const parts = usedParts(plan);
  const checks = healthChecksIn(plan, parts);
  const stored = storedKeysIn(plan);
  const redis = redisPortsIn(plan);
  const purging = purgingIn(plan);
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
    ...parts.map(({ file, factory }) => `import { ${factory} } from ${JSON.stringify(`${source}/${file}`)};`),
    ...[...checks.imports, ...stored.imports, ...redis.imports, ...purging.imports].map(
      ([name, file]) => `import { ${name} } from ${JSON.stringify(`${source}/${file}`)};`,
    ),
    ...(plan.validators === undefined ? [] : [`import * as validators from "./validators.js";`]),
    `import plan from "./plan.json";`,
    "",
    ...checks.before,
    `export default createWorker(${checks.plan}, {`,
    `  filters: { ${filters.map((name) => `${name}: ${name}Filter`).join(", ")} },`,
    `  authenticators: { ${authenticators.map((name) => `${name}: ${name}Authenticator`).join(", ")} },`,
    `  balancers: { ${balancers.map((name) => `${name}: ${name}Balancer`).join(", ")} },`,
    `  parts: { ${parts.map(({ name, factory }) => `${name}: ${factory}`).join(", ")} },`,
    ...(plan.validators === undefined ? [] : ["  validators,"]),
    `}${portsOf([checks.port, stored.port, ...redis.ports, purging.port])}${purging.route});`,
    ...checks.after,
    "",
  ];
  const { validators, ...read } = plan;
  return {
    "plan.json": JSON.stringify(read),
    "gateway.ts": lines.join("\n"),
    ...(validators && {
      "validators.js": validators.replaceAll(`"${LIBRARY}/`, `"${source}/lib/json-schema/`),
    }),
  };
};

/**
 * What an entry has beside the gateway where its plan checks targets: the class of the Durable Objects that make the checks
 * for all isolates, and the port to ask them. Bundles of other plans hold neither.
 */
const healthChecksIn = (plan: Plan, parts: readonly Part[]) => {
  if (!hasHealthChecks(plan))
    return { imports: [], before: [], plan: "JSON.parse(plan)", port: undefined, after: [] };
  const discovery = parts.find(({ name }) => name === "discovery");
  const targets = discovery === undefined ? "{}" : `{ discovery: ${discovery.factory} }`;
  return {
    imports: [
      ["healthPort", "adapters/cloudflare/health-board.ts"],
      ["healthChecks", "adapters/cloudflare/health-checks.ts"],
      ["linkHealthRounds", "runtime/managed/health-rounds.ts"],
    ],
    before: ["const parsed = JSON.parse(plan);", ""],
    plan: "parsed",
    port: "healthPort",
    after: [
      "",
      `export const ${HEALTH_OBJECTS.className} = healthChecks(linkHealthRounds(parsed, ${targets}));`,
    ],
  };
};

/** The port to keys of consumers that are in Redis, where the plan says so. */
const storedKeysIn = ({ gateway }: Plan) =>
  gateway.consumerKeys === undefined || gateway.redis === undefined
    ? { imports: [], port: undefined }
    : {
        imports: [["consumerKeysPort", "adapters/upstash/consumer-keys.ts"]],
        port: `consumerKeysPort(${JSON.stringify({ gateway: gateway.name, ...gateway.redis })})`,
      };

/** The ports to Redis by the names in the plan, and the files in which they are. */
const REDIS_PORTS: Readonly<Record<RedisPort, readonly [factory: string, file: string]>> = {
  store: ["storePort", "adapters/upstash/store.ts"],
  storeCounter: ["storeCounterPort", "adapters/upstash/counter.ts"],
  purgeLog: ["purgeLogPort", "adapters/upstash/purge-log.ts"],
};

/** The ports to Redis that the plan's policies need. */
const redisPortsIn = ({ gateway: { name, redis, redisPorts = [] } }: Plan) => {
  const ports = redis === undefined ? [] : redisPorts.map((port) => REDIS_PORTS[port]);
  const settings = JSON.stringify({ gateway: name, ...redis });
  return { imports: ports, ports: ports.map(([factory]) => `${factory}(${settings})`) };
};

/** What purges where Redis does not tell others, and the control route, where the plan has them. */
const purgingIn = ({ gateway: { purges, control } }: Plan) => {
  const isAlone = purges === "isolate";
  const hasRoute = control?.purgeToken !== undefined;
  return {
    imports: [
      ...(isAlone ? [["isolatePurgesPort", "adapters/memory/purges.ts"]] : []),
      ...(hasRoute ? [["purgeRoute", "control/purge.ts"]] : []),
    ],
    port: isAlone ? "isolatePurgesPort" : undefined,
    // It comes behind the port, which is there wherever there is the route.
    route: hasRoute ? ", [purgeRoute]" : "",
  };
};

/** The argument that hands over ports which only some plans need. */
const portsOf = (ports: readonly (string | undefined)[]): string => {
  const given = ports.filter((port) => port !== undefined);
  if (given.length < 2) return given.map((port) => `, ${port}`).join("");
  return `, (env, ports) => ({ ${given.map((port) => `...${port}(env, ports)`).join(", ")} })`;
};

/** What the emitter reads of the identity step. */
interface IdentityStep {
  readonly authenticators: readonly { readonly policy: string }[];
}

const unique = (names: readonly string[]): string[] => [...new Set(names)].sort();

/** The folder of a policy type: its name in kebab case. */
export const folderOf = (name: string): string =>
  name.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);

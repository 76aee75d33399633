import { fault, placeAt, placeInText, treeAt } from "../config/tree.ts";
import type { Expression, ExpressionOptions } from "../core/expression.ts";
import type { Json } from "../core/json.ts";
import type {
  CallerReference,
  CompileContext,
  ConsumerInfo,
  Fault,
  IssuerInfo,
  Path,
  PlanInfo,
} from "../core/policy.ts";
import { NO_REDIS } from "../core/redis.ts";
import type { Template } from "../core/template.ts";
import { canonicalJson } from "../lib/canonical-json.ts";
import { attributeTypes } from "./consumers.ts";
import { compileExpression } from "./expression.ts";
import type { InstanceIr, RouteIr } from "./ir.ts";
import { comparesUnjoinedSubjects, UNJOINED_SUBJECTS } from "./issuers.ts";
import type { RedisUse } from "./redis.ts";
import { restNames } from "./rewrites.ts";
import type { RouteFaults, RouteRef } from "./route-faults.ts";
import { callerReferences, compileTemplate, type TextFault } from "./template.ts";
import type { ValidatorTable } from "./validators/table.ts";

/** What all routes of one gateway share while they are compiled. */
export interface Workshop {
  readonly gateway: CompileContext["gateway"];
  readonly issuers: ReadonlyMap<string, IssuerInfo>;
  /** Issuers that could not be typed; what is said of them follows from that. */
  readonly brokenIssuers: ReadonlySet<string>;
  readonly usedIssuers: Set<string>;
  readonly consumers: ReadonlyMap<string, ConsumerInfo>;
  readonly usedConsumers: Set<string>;
  readonly plans: ReadonlyMap<string, PlanInfo>;
  /** Whether consumers, plans or issuers could not all be typed; what is said of callers may follow from that. */
  readonly brokenCallers: boolean;
  readonly shared: Map<string, Json>;
  readonly secrets: Set<string>;
  readonly redis: RedisUse;
  readonly faults: RouteFaults;
  readonly validators: ValidatorTable;
}

/** A route as policies and diagnostics know it. */
export interface RouteContext extends RouteRef {
  readonly told: CompileContext["route"];
  /** The same as `told.callerTold`, to be added to. */
  readonly callerTold: CallerReference[];
  /** Issuers and consumers that the route's identity policies asked for. */
  readonly issuers: Set<string>;
  readonly consumers: Set<string>;
}

/** The context of a route, whose action tells the upstream these things of its caller. */
export const routeContext = (route: RouteIr, callerTold: CallerReference[] = []): RouteContext => ({
  id: route.id,
  place: route.place,
  callerTold,
  told: {
    id: route.id,
    api: route.api,
    params: route.params,
    restParams: [...restNames(route)],
    methods: route.matches.some((match) => match.methods.length === 0)
      ? []
      : [...new Set(route.matches.flatMap((match) => match.methods))].sort(),
    declaredQuery: route.declaredQuery,
    operation: route.operation,
    policies: new Set(),
    callerTold,
  },
  issuers: new Set(),
  consumers: new Set(),
});

/** The context of the fallback that answers 404 and 405. */
export const fallbackContext = (): RouteContext => ({
  id: "-",
  place: undefined,
  callerTold: [],
  told: { id: "-", api: "-", params: [], methods: [], declaredQuery: undefined, policies: new Set() },
  issuers: new Set(),
  consumers: new Set(),
});

/** The context in which one route's policies are compiled; first those that prove identity, then the rest. */
export const contextFor = (
  workshop: Workshop,
  route: RouteContext,
  identity: CompileContext["identity"],
  identifying: boolean,
): CompileContext => {
  const site: Site = { workshop, route, identity, identifying };
  return {
    route: route.told,
    gateway: workshop.gateway,
    identity,
    issuerNames: [...workshop.issuers.keys()],
    consumers: identifying ? consumersOfRoute(workshop, route) : workshop.consumers,
    callers: { issuers: route.issuers, consumers: route.consumers },
    plans: workshop.plans,
    issuer: (name) => {
      workshop.usedIssuers.add(name);
      route.issuers.add(name);
      return workshop.issuers.get(name);
    },
    share: (name, value) => {
      const known = workshop.shared.get(name);
      // The same object is mostly shared again, and may be long.
      if (known !== undefined && known !== value && canonicalJson(known) !== canonicalJson(value))
        throw new Error(`two things are shared as ${name}`);
      workshop.shared.set(name, value);
      return name;
    },
    validator: (spec) => workshop.validators.name(spec),
    secret: ({ env }) => {
      workshop.secrets.add(env);
      return env;
    },
    redis: (port, instance, at) => {
      const { redis, secrets } = workshop;
      redis.ports.add(port);
      if (redis.plan === undefined) {
        if (!redis.isBroken) tell(instance as InstanceIr, at, NO_REDIS, site);
        return false;
      }
      secrets.add(redis.plan.url).add(redis.plan.token);
      return true;
    },
    template: (text, instance, at, use) => {
      const compiled = template(text, instance as InstanceIr, at, site);
      if (use !== "kept")
        route.callerTold.push(...callerReferences(compiled, [...belowPolicies(instance.path), ...at]));
      return compiled;
    },
    expression: (text, instance, at, options) =>
      expression(text, instance as InstanceIr, at, { ...site, options }),
    report: (instance, at, it) => tell(instance as InstanceIr, at, it, site),
  };
};

/** The path of a policy from its name on. */
const belowPolicies = (path: Path): Path => path.slice(path.lastIndexOf("policies") + 1);

/** The consumers as policies that prove identity see them: who is asked for by name is used, and may call the route. */
const consumersOfRoute = (
  { consumers, usedConsumers }: Workshop,
  route: RouteContext,
): CompileContext["consumers"] => ({
  size: consumers.size,
  has: (name) => consumers.has(name),
  keys: () => consumers.keys(),
  values: () => consumers.values(),
  entries: () => consumers.entries(),
  forEach: (each) => consumers.forEach(each),
  [Symbol.iterator]: () => consumers[Symbol.iterator](),
  get: (name) => {
    if (consumers.has(name)) {
      usedConsumers.add(name);
      route.consumers.add(name);
    }
    return consumers.get(name);
  },
});

interface Site {
  readonly workshop: Workshop;
  readonly route: RouteContext;
  readonly identity: CompileContext["identity"];
  /** Whether the policies that prove identity are compiled; what they say of an issuer at fault follows from that. */
  readonly identifying: boolean;
}

const tell = (instance: InstanceIr, at: Path, it: Fault, { workshop, route, identifying }: Site): void => {
  if (identifying && [...route.issuers].some((name) => workshop.brokenIssuers.has(name))) return;
  if (it.aboutCallers === true && workshop.brokenCallers) return;
  const place = placeAt(instance.tree, at, it.onKey === true);
  workshop.faults.tell(
    fault(place, it.code, it.message, it.remedy, { severity: it.severity ?? "error" }),
    instance,
    route,
  );
};

/** Tells faults at their places inside of a text. */
const tellInText = (
  faults: readonly TextFault[],
  instance: InstanceIr,
  at: Path,
  { workshop, route }: Site,
): void => {
  const { tree } = instance;
  const scalar = treeAt(tree, at);
  for (const { offset, length, code, message, remedy } of faults) {
    const place = scalar === undefined ? placeAt(tree, at) : placeInText(scalar, offset, length);
    workshop.faults.tell(fault(place, code, message, remedy), instance, route);
  }
};

/** Compiles a template and places its faults inside the text. */
const template = (text: string, instance: InstanceIr, at: Path, site: Site): Template => {
  const compiled = compileTemplate(text, {
    params: site.route.told.params,
    claims: claimNames(site.workshop),
    identified: site.identity.policies.length > 0,
  });
  tellInText(compiled.faults, instance, at, site);
  return compiled.template;
};

const expression = (
  text: string,
  instance: InstanceIr,
  at: Path,
  site: Site & { readonly options: ExpressionOptions | undefined },
): Expression | undefined => {
  const { workshop, route } = site;
  const compiled = compileExpression(
    text,
    {
      params: route.told.params,
      claims: claimTypes(workshop),
      hasConsumers: workshop.consumers.size > 0,
      ...(workshop.brokenCallers ? {} : { attributes: attributeTypes(workshop.consumers) }),
      clientIp: workshop.gateway.clientIp ?? "unknown",
    },
    site.options,
  );
  tellInText(compiled.faults, instance, at, site);
  if (
    compiled.expression !== undefined &&
    comparesUnjoinedSubjects(compiled.expression, route.issuers, workshop.issuers)
  )
    tell(instance, at, UNJOINED_SUBJECTS, site);
  return compiled.expression;
};

const REGISTERED = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "scope", "scp", "client_id", "azp"];

/** Names of the claims that templates may quote. */
export const claimNames = ({ issuers }: Pick<Workshop, "issuers">): string[] => [
  ...new Set([...REGISTERED, ...[...issuers.values()].flatMap((issuer) => Object.keys(issuer.claims))]),
];

/** Claims of all issuers; one whose type differs between issuers is of any type. */
const claimTypes = ({ issuers }: Workshop): Record<string, string> => {
  const types: Record<string, string> = {};
  for (const issuer of issuers.values()) {
    for (const [name, type] of Object.entries(issuer.claims))
      types[name] = types[name] === undefined || types[name] === type ? type : "dyn";
  }
  return types;
};

import { createHash } from "node:crypto";
import { type Documents, isUnreadable, readTree, typeDocuments } from "../config/load.ts";
import type { Tree } from "../config/tree.ts";
import { isBroken } from "../config/typing.ts";
import type { Source } from "../config/yaml.ts";
import type { Diagnostic, Outcome } from "../core/diagnostic.ts";
import type { ClientIpPlan, GatewayPlan, Plan, RoutePlan } from "../core/plan.ts";
import type { CallerReference } from "../core/policy.ts";
import { canonicalJson } from "../lib/canonical-json.ts";
import { policyOrder } from "../policies/index.ts";
import { checkActions, compileAction } from "./actions.ts";
import { type Attached, Attachments } from "./attachments.ts";
import { checkCallers } from "./callers.ts";
import { compileChain, type SeenChain, StepTable } from "./chains.ts";
import {
  checkApis,
  checkBefore,
  checkHosts,
  checkUpstreams,
  isIdentified,
  reportOpenRoutes,
} from "./checks.ts";
import { areCallersBroken, consumersOf, plansOf } from "./consumers.ts";
import { claimNames, fallbackContext, routeContext, type Workshop } from "./context.ts";
import { defined } from "./defined.ts";
import { Diagnostics, isError } from "./diagnostics.ts";
import { docsPlan } from "./docs.ts";
import type { Report, RouteIr } from "./ir.ts";
import { checkIssuers, issuersOf } from "./issuers.ts";
import { levelsOf, writtenLevels } from "./levels.ts";
import { matcherPlan, plant } from "./matcher.ts";
import { hostsAreBroken } from "./matches.ts";
import { checkPrecedence } from "./precedence.ts";
import { checkPurgeToken, controlPlan, purgesPlan } from "./purges.ts";
import { checkRedis, redisPortsPlan, redisUse } from "./redis.ts";
import { RouteFaults } from "./route-faults.ts";
import { normalizeRoutes } from "./routes.ts";
import { reportSecurityHints } from "./security-hints.ts";
import { checkForwarding, credentialFieldsOf } from "./shared-forwarding.ts";
import { compileUpstreams } from "./upstreams.ts";
import { ValidatorTable } from "./validators/table.ts";

/** Everything that a gateway is compiled from. */
export interface Sources {
  readonly policies: readonly Source[];
  /** OpenAPI documents by the name that apis give them. */
  readonly openapi: ReadonlyMap<string, Source>;
}

/** A route with what it was compiled from. */
export interface SeenRoute extends SeenChain {
  readonly route: RouteIr;
  readonly attached: Attached;
  readonly plan: RoutePlan;
}

/** Is told what a plan is compiled from, in the order of the routes' ids. */
export interface Observer {
  documents(documents: Documents): void;
  route(seen: SeenRoute): void;
}

/** Compiles the files for one environment (or none) to a plan; there is a plan only where there is no error. */
export const compile = (
  sources: Sources,
  environment: string | undefined,
  observer?: Observer,
): Outcome<Plan> => {
  const read = readTree(sources.policies);
  return compileTree(read.value!, sources, environment, read.diagnostics, observer);
};

/** Compiles a tree that was read before. */
export const compileTree = (
  tree: Tree,
  sources: Sources,
  environment: string | undefined,
  earlier: readonly Diagnostic[] = [],
  observer?: Observer,
): Outcome<Plan> => {
  const diagnostics = new Diagnostics(earlier);
  // What a file holds that cannot be read would be missed everywhere.
  if (isUnreadable(earlier)) return { diagnostics: diagnostics.list() };
  const documents = typeDocuments(tree, environment);
  documents.diagnostics.forEach(diagnostics.report);
  const plan = compileDocuments(documents.value!, sources, diagnostics.report, observer);
  const list = diagnostics.list();
  if (plan === undefined && !list.some(isError)) throw new Error("there is no plan, and nothing is at fault");
  return plan === undefined || list.some(isError)
    ? { diagnostics: list }
    : { value: plan, diagnostics: list };
};

const types = [...new Set(policyOrder.map(({ type }) => type))];

const compileDocuments = (
  documents: Documents,
  sources: Sources,
  report: Report,
  observer?: Observer,
): Plan | undefined => {
  observer?.documents(documents);
  const openapi = {
    openapi: (file: string) => sources.openapi.get(file),
    openapiFiles: [...sources.openapi.keys()],
  };
  const routes = sortById(normalizeRoutes({ documents, ...openapi, report }));
  const forest = plant(routes);
  if (!hostsAreBroken(documents)) checkPrecedence(forest.leaves, report);
  const settings = gatewayPlan(documents);
  const workshop = workshopOf(documents, settings, report);
  const attachments = new Attachments(types, report);
  // Faults of policies that no sound route meets are told too.
  const written = writtenLevels(documents).map((levels) => attachments.of({ levels }));
  const table = new StepTable();
  const plans = compileRoutes(routes, { documents, workshop, attachments, table, report, observer });
  const fallback = fallbackChain(attachments, documents, workshop, table);
  workshop.faults.flush(report);
  const validators = workshop.validators.module(report);
  const upstreams = compileUpstreams(documents, workshop.secrets, report);
  checkHosts(documents, report);
  checkBefore(routes, forest.leaves, documents, report);
  checkUpstreams(documents, report);
  checkIssuers(documents, workshop.usedIssuers, report);
  checkCallers(documents, workshop.usedConsumers, report);
  checkApis(documents, report);
  const purges = purgesPlan(table.steps, settings, workshop);
  checkPurgeToken(documents, workshop.gateway, report);
  if (written.every(({ broken }) => broken.size === 0)) checkRedis(documents, workshop.redis, report);
  if (documents.gateway === undefined || plans.length < routes.length) return undefined;
  if (!workshop.validators.isUsable) return undefined;
  return finish({
    gateway: { ...settings, ...purges, ...redisPortsPlan(workshop.redis) },
    shared: Object.fromEntries(workshop.shared),
    steps: table.steps,
    upstreams,
    routes: plans,
    matcher: matcherPlan(forest),
    fallback,
    ...(validators === undefined ? {} : { validators }),
    secrets: [...workshop.secrets].sort(),
  });
};

const sortById = (routes: readonly RouteIr[]): RouteIr[] =>
  [...routes].sort((one, other) => (one.id < other.id ? -1 : 1));

/** Settings of the gateway; where they are at fault, such as make the least noise, for no plan comes of it. */
const gatewayPlan = (documents: Documents): GatewayPlan => {
  const { gateway, development, broken } = documents;
  const { name = "postern", clientIp, paths, stores } = gateway?.value ?? {};
  const written: ClientIpPlan | undefined =
    typeof clientIp === "object" ? { trustedHops: clientIp.forwardedFor.trustedHops } : clientIp;
  const isUnknown = gateway === undefined || isBroken(broken, ["gateway", "clientIp"]);
  return {
    name,
    development,
    paths: paths ?? { encodedSlash: "reject", matrixParameters: "reject" },
    ...defined({
      clientIp: isUnknown ? "cloudflare" : written,
      control: controlPlan(documents),
      docs: docsPlan({ documents }),
      ...(stores?.consumers === "redis" && {
        consumerKeys: "redis",
        redis: stores.redis && { url: stores.redis.url.env, token: stores.redis.token.env },
      }),
    }),
  };
};

const workshopOf = (documents: Documents, settings: GatewayPlan, report: Report): Workshop => {
  const issuers = issuersOf(documents, report);
  const redis = redisUse(documents);
  return {
    gateway: {
      name: settings.name,
      clientIp: settings.clientIp,
      development: documents.development,
      keysAreStored: settings.consumerKeys !== undefined,
      hasRedis: redis.plan !== undefined || redis.isBroken,
    },
    issuers: issuers.infos,
    brokenIssuers: issuers.broken,
    usedIssuers: new Set(),
    consumers: consumersOf(documents, report),
    usedConsumers: new Set(),
    plans: plansOf(documents),
    brokenCallers: areCallersBroken(documents),
    shared: new Map(),
    secrets: new Set([
      ...Object.values(settings.control ?? {}),
      ...(settings.redis ? [settings.redis.url, settings.redis.token] : []),
    ]),
    redis,
    faults: new RouteFaults(),
    validators: new ValidatorTable(),
  };
};

interface Compiling {
  readonly documents: Documents;
  readonly workshop: Workshop;
  readonly attachments: Attachments;
  readonly table: StepTable;
  readonly report: Report;
  readonly observer: Observer | undefined;
}

const compileRoutes = (routes: readonly RouteIr[], compiling: Compiling): RoutePlan[] => {
  const { documents, workshop, attachments, table, report, observer } = compiling;
  const site = { documents, report, claims: claimNames(workshop) };
  const open: RouteIr[] = [];
  const asked = new Set<string>();
  const inUse = new Set(routes.flatMap((route) => [...attachments.of(route).instances.keys()]));
  const plans = routes.flatMap((route): RoutePlan[] => {
    const attached = attachments.of(route);
    const identified = isIdentified(attached, types);
    if (identified) asked.add(route.id);
    const credentialFields = credentialFieldsOf(attached, types);
    const callerTold: CallerReference[] = [];
    const action = compileAction(route, { ...site, identified, credentialFields, callerTold });
    // Nothing is said of what follows from policies that cannot be read.
    if (route.levels.some((level) => level.broken)) return [];
    if (!identified && !route.levels.some((level) => level.public)) open.push(route);
    reportSecurityHints(route, attached, report);
    let seen: SeenChain | undefined;
    const look = observer && ((it: SeenChain) => (seen = it));
    const chain = compileChain(
      attached,
      routeContext(route, callerTold),
      policyOrder,
      workshop,
      table,
      inUse,
      look,
    );
    if (action === undefined) return [];
    const plan: RoutePlan = { id: route.id, api: route.api, chain, action };
    if (seen !== undefined) observer!.route({ ...seen, route, attached, plan });
    return [plan];
  });
  reportOpenRoutes(open, routes, documents, report);
  checkActions(routes, site);
  checkForwarding(routes, plans, asked, site);
  return plans;
};

/** A request that no route takes passes the gateway's own policies up to identity. */
const fallbackChain = (
  attachments: Attachments,
  documents: Documents,
  workshop: Workshop,
  table: StepTable,
): readonly number[] => {
  const end = policyOrder.findIndex(({ type }) => type.attachment === "identity");
  const attached = attachments.of({ levels: levelsOf(documents) });
  return compileChain(attached, fallbackContext(), policyOrder.slice(0, end), workshop, table, new Set());
};

const finish = (body: Omit<Plan, "version" | "hash">): Plan => {
  return { version: 1, hash: planHash(body), ...body };
};

/** Names what a plan says. */
export const planHash = (body: Omit<Plan, "version" | "hash">): string =>
  createHash("sha256").update(canonicalJson(body)).digest("hex").slice(0, 16);

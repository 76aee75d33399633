import { createHash } from "node:crypto";
import { type Documents, readTree, typeDocuments } from "../config/load.ts";
import { fault, placeAt, type Tree } from "../config/tree.ts";
import type { Source } from "../config/yaml.ts";
import type { Diagnostic, Outcome } from "../core/diagnostic.ts";
import type { ClientIpPlan, GatewayPlan, Plan, RoutePlan } from "../core/plan.ts";
import type { IssuerInfo, PolicyType } from "../core/policy.ts";
import { canonicalJson } from "../lib/canonical-json.ts";
import { policyOrder } from "../policies/index.ts";
import { compileIssuer, issuerInfo } from "../policies/jwt/issuer.ts";
import { compileAction, defined } from "./actions.ts";
import { type Attached, Attachments } from "./attachments.ts";
import { compileChain, StepTable } from "./chains.ts";
import { routeContext, type Workshop } from "./context.ts";
import { Diagnostics, isError } from "./diagnostics.ts";
import type { Report, RouteIr } from "./ir.ts";
import { matcherPlan, plant } from "./matcher.ts";
import { checkPrecedence } from "./precedence.ts";
import { normalizeRoutes } from "./routes.ts";
import { compileUpstreams } from "./upstreams.ts";

/** Everything that a gateway is compiled from. */
export interface Sources {
  readonly policies: readonly Source[];
  /** OpenAPI documents by the name that apis give them. */
  readonly openapi: ReadonlyMap<string, Source>;
}

/** Compiles the files for one environment (or none) to a plan; there is a plan only where there is no error. */
export const compile = (sources: Sources, environment: string | undefined): Outcome<Plan> => {
  const read = readTree(sources.policies);
  if (read.diagnostics.some((diagnostic) => diagnostic.code === "yaml-syntax"))
    return { diagnostics: read.diagnostics };
  return compileTree(read.value!, sources, environment, read.diagnostics);
};

/** Compiles a tree that was read before. */
export const compileTree = (
  tree: Tree,
  sources: Sources,
  environment: string | undefined,
  earlier: readonly Diagnostic[] = [],
): Outcome<Plan> => {
  const diagnostics = new Diagnostics(earlier);
  const documents = typeDocuments(tree, environment);
  documents.diagnostics.forEach(diagnostics.report);
  const plan = compileDocuments(documents.value!, sources, diagnostics.report);
  const list = diagnostics.list();
  return plan === undefined || list.some(isError)
    ? { diagnostics: list }
    : { value: plan, diagnostics: list };
};

const compileDocuments = (documents: Documents, sources: Sources, report: Report): Plan | undefined => {
  const openapi = {
    openapi: (file: string) => sources.openapi.get(file),
    openapiFiles: [...sources.openapi.keys()],
  };
  const routes = sortById(normalizeRoutes({ documents, ...openapi, report }));
  const forest = plant(routes);
  checkPrecedence(forest.leaves, report);
  checkBefore(routes, documents, report);
  const gateway = documents.gateway;
  if (gateway === undefined) return undefined;
  checkHosts(documents, report);
  const settings = gatewayPlan(documents);
  const workshop: Workshop = {
    gateway: { name: settings.name, clientIp: settings.clientIp, development: documents.development },
    issuers: issuersOf(documents, report),
    usedIssuers: new Set(),
    shared: new Map(),
    secrets: new Set(settings.control ? [settings.control.token] : []),
    report,
  };
  const types = [...new Set(policyOrder.map(({ type }) => type))];
  const attachments = new Attachments(types, report);
  const table = new StepTable();
  const usedUpstreams = new Set<string>();
  const plans = routes.flatMap((route): RoutePlan[] => {
    const attached = attachments.of(route);
    const identified = checkIdentity(route, attached, types, report);
    const chain = compileChain(attached, routeContext(route), policyOrder, workshop, table);
    const action = compileAction(route, { documents, usedUpstreams, report, identified });
    return action === undefined ? [] : [{ id: route.id, api: route.api, chain, action }];
  });
  const fallback = fallbackChain(attachments, documents, workshop, table);
  const upstreams = compileUpstreams(documents, usedUpstreams, report);
  checkIssuers(documents, workshop, report);
  if (plans.length < routes.length) return undefined;
  return finish({
    gateway: settings,
    shared: Object.fromEntries(workshop.shared),
    steps: table.steps,
    upstreams,
    routes: plans,
    matcher: matcherPlan(forest),
    fallback,
    secrets: [...workshop.secrets].sort(),
  });
};

const sortById = (routes: readonly RouteIr[]): RouteIr[] =>
  [...routes].sort((one, other) => (one.id < other.id ? -1 : 1));

const gatewayPlan = ({ gateway, development }: Documents): GatewayPlan => {
  const { name, clientIp, paths, control } = gateway!.value;
  const address: ClientIpPlan | undefined =
    typeof clientIp === "object" ? { trustedHops: clientIp.forwardedFor.trustedHops } : clientIp;
  return {
    name,
    development,
    paths,
    ...defined({ clientIp: address, control: control && { token: control.token.env } }),
  };
};

/** Every route proves who calls, or says that it is public. */
const checkIdentity = (
  route: RouteIr,
  attached: Attached,
  types: readonly PolicyType[],
  report: Report,
): boolean => {
  const identified = types.some((type) => type.attachment === "identity" && attached.has(type.name));
  if (!identified && !route.levels.some((level) => level.public)) {
    report(
      fault(
        route.place,
        "no-identity",
        `"${route.id}" asks nobody who they are, and is not public.`,
        "Attach an identity policy such as jwt to it, its api or the gateway, or say `public: true`.",
      ),
    );
  }
  return identified;
};

/** A request that no route takes passes the gateway's own policies up to identity. */
const fallbackChain = (
  attachments: Attachments,
  documents: Documents,
  workshop: Workshop,
  table: StepTable,
): readonly number[] => {
  const level = {
    level: "gateway",
    node: "gateway",
    path: ["gateway"],
    public: false,
    tree: documents.gateway!.tree.entries?.get("policies"),
  } as const;
  const end = policyOrder.findIndex(({ type }) => type.attachment === "identity");
  const attached = attachments.of({ levels: [level] });
  const context = { id: "-", api: "-", params: [], methods: [], declaredQuery: undefined };
  return compileChain(attached, context, policyOrder.slice(0, end), workshop, table);
};

const issuersOf = (documents: Documents, report: Report): ReadonlyMap<string, IssuerInfo> =>
  new Map(
    documents.issuers.map(({ name, value, tree }) => {
      if (value.jwks === "local" && !documents.development) {
        report(
          fault(
            placeAt(tree, ["jwks"]),
            "development-only",
            "The local issuer is for development.",
            "Write the key set's address, and `jwks: local` in an environment with `development: true`.",
          ),
        );
      }
      return [name, issuerInfo(name, compileIssuer(name, value), value)];
    }),
  );

const checkIssuers = (documents: Documents, workshop: Workshop, report: Report): void => {
  for (const { name, tree } of documents.issuers) {
    if (!workshop.usedIssuers.has(name))
      report(
        fault(
          tree.keyPlace ?? tree.place,
          "unused-name",
          `No policy uses the issuer "${name}".`,
          "Remove it, or name it in a jwt policy.",
        ),
      );
  }
};

const checkHosts = (documents: Documents, report: Report): void => {
  for (const [name, pattern] of Object.entries(documents.gateway!.value.hosts)) {
    if (pattern.kind === "any" && !documents.development) {
      report(
        fault(
          placeAt(documents.gateway!.tree, ["hosts", name]),
          "development-only",
          'The host "*" takes every request, whatever it was meant for.',
          'Name the host, and write "*" only in an environment with `development: true`.',
        ),
      );
    }
  }
};

const checkBefore = (routes: readonly RouteIr[], documents: Documents, report: Report): void => {
  const ids = new Set(routes.map((route) => route.id));
  for (const route of routes) {
    for (const [index, id] of route.before.entries()) {
      if (ids.has(id) && id !== route.id) continue;
      report(
        fault(
          placeAt(documents.tree, [...route.documentPath, "before", index]),
          "unknown-name",
          `There is no other route "${id}".`,
          "Write its whole id: api.route.",
        ),
      );
    }
  }
};

const finish = (body: Omit<Plan, "version" | "hash">): Plan => {
  const hash = createHash("sha256").update(canonicalJson(body)).digest("hex").slice(0, 16);
  return { version: 1, hash, ...body };
};

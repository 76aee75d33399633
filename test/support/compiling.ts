import { compile, type Sources } from "../../src/compiler/compile.ts";
import type { Source } from "../../src/config/yaml.ts";
import type { Diagnostic } from "../../src/core/diagnostic.ts";
import type { Plan, RoutePlan, StepPlan } from "../../src/core/plan.ts";

/** Files by name, as the compiler gets them. */
export const sourcesOf = (
  policies: Readonly<Record<string, string>>,
  openapi: Readonly<Record<string, string>> = {},
): Sources => {
  const list = (files: Readonly<Record<string, string>>): Source[] =>
    Object.entries(files).map(([file, text]) => ({ file, text }));
  return { policies: list(policies), openapi: new Map(list(openapi).map((source) => [source.file, source])) };
};

export interface Compiled {
  readonly plan: Plan | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** Codes of the diagnostics, in the order of their places. */
  readonly codes: readonly string[];
}

/** Compiles files. */
export const compiled = (sources: Sources, environment?: string): Compiled => {
  const { value: plan, diagnostics } = compile(sources, environment);
  return { plan, diagnostics, codes: diagnostics.map(({ code }) => code) };
};

/** Compiles one file of policies with a gateway, an issuer and an upstream around it. */
export const compiledApis = (
  apis: string,
  {
    gateway = "",
    issuer = "",
    openapi = {},
  }: { gateway?: string; issuer?: string; openapi?: Readonly<Record<string, string>> } = {},
): Compiled =>
  compiled(
    sourcesOf(
      {
        "gateway.yaml": `gateway:\n  hosts: { public: api.example.com, tenants: "{tenant}.shop.example.com" }\n  clientIp: connection\n${gateway}`,
        "issuers.yaml": `issuers:
  main: { issuer: main, audiences: [shop], algorithms: [HS256], secret: { env: SECRET }, claims: { roles: strings }${issuer} }
`,
        "upstreams.yaml": "upstreams:\n  orders: { targets: { main: { binding: ORDERS } } }\n",
        // Uses the issuer and the upstream, so that tests need not.
        "keeper.yaml":
          "apis:\n  keeper:\n    upstream: orders\n    routes: { keep: { match: { path: /keeper }, policies: { jwt: { issuers: [main] } } } }\n",
        "apis.yaml": apis,
      },
      openapi,
    ),
  );

/** The plan of files that are sound; what is wrong with them is thrown. */
export const planOf = ({ plan, diagnostics }: Compiled): Plan => {
  if (plan === undefined) throw new Error(JSON.stringify(diagnostics, undefined, 2));
  return plan;
};

export const routeOf = (plan: Plan, id: string): RoutePlan => {
  const route = plan.routes.find((candidate) => candidate.id === id);
  if (route === undefined) throw new Error(`no route ${id}`);
  return route;
};

/** The steps of a route, outermost first. */
export const stepsOf = (plan: Plan, id: string): readonly StepPlan[] =>
  routeOf(plan, id).chain.map((index) => plan.steps[index]!);

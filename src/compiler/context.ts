import { didYouMean } from "../config/faults.ts";
import { fault, placeAt, placeInText, treeAt } from "../config/tree.ts";
import type { Expression, ExpressionOptions } from "../core/expression.ts";
import type { Json } from "../core/json.ts";
import type { CompileContext, Fault, Instance, IssuerInfo, Path } from "../core/policy.ts";
import type { Template } from "../core/template.ts";
import { canonicalJson } from "../lib/canonical-json.ts";
import { compileExpression } from "./expression.ts";
import type { InstanceIr, Report, RouteIr } from "./ir.ts";
import { compileTemplate } from "./template.ts";

/** What all routes of one gateway share while they are compiled. */
export interface Workshop {
  readonly gateway: CompileContext["gateway"];
  readonly issuers: ReadonlyMap<string, IssuerInfo>;
  readonly usedIssuers: Set<string>;
  readonly shared: Map<string, Json>;
  readonly secrets: Set<string>;
  readonly report: Report;
}

/** The context in which one route's policies are compiled. */
export const contextFor = (
  workshop: Workshop,
  route: RouteContext,
  identity: CompileContext["identity"],
): CompileContext => {
  const { report } = workshop;
  const tell = (instance: Instance<unknown>, at: Path, it: Fault): void => {
    const { tree } = instance as InstanceIr;
    report(
      fault(placeAt(tree, at, it.onKey === true), it.code, it.message, it.remedy, {
        severity: it.severity ?? "error",
      }),
    );
  };
  return {
    route,
    gateway: workshop.gateway,
    identity,
    issuerNames: [...workshop.issuers.keys()],
    issuer: (name) => {
      workshop.usedIssuers.add(name);
      return workshop.issuers.get(name);
    },
    share: (name, value) => {
      const known = workshop.shared.get(name);
      if (known !== undefined && canonicalJson(known) !== canonicalJson(value))
        throw new Error(`two things are shared as ${name}`);
      workshop.shared.set(name, value);
      return name;
    },
    secret: ({ env }) => {
      workshop.secrets.add(env);
      return env;
    },
    template: (text, instance, at) =>
      template(text, instance as InstanceIr, at, { route, identity, claims: claimNames(workshop), report }),
    expression: (text, instance, at, options) =>
      expression(text, instance as InstanceIr, at, { route, workshop, options }),
    report: tell,
  };
};

export type RouteContext = CompileContext["route"];

/** The context of a route. */
export const routeContext = (route: RouteIr): RouteContext => ({
  id: route.id,
  api: route.api,
  params: route.params,
  methods: route.matches.some((match) => match.methods.length === 0)
    ? []
    : [...new Set(route.matches.flatMap((match) => match.methods))].sort(),
  declaredQuery: route.declaredQuery,
});

const REGISTERED = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "scope", "scp", "client_id", "azp"];

const claimNames = (workshop: Workshop): string[] => [
  ...new Set([
    ...REGISTERED,
    ...[...workshop.issuers.values()].flatMap((issuer) => Object.keys(issuer.claims)),
  ]),
];

interface TemplateSite {
  readonly route: RouteContext;
  readonly identity: CompileContext["identity"];
  readonly claims: readonly string[];
  readonly report: Report;
}

/** Compiles a template and places its faults inside the text. */
const template = (
  text: string,
  { tree }: InstanceIr,
  at: Path,
  { route, identity, claims, report }: TemplateSite,
): Template => {
  const compiled = compileTemplate(text, {
    params: route.params,
    claims,
    identified: identity.policies.length > 0,
  });
  for (const { offset, length, message, remedy } of compiled.faults) {
    const scalar = treeAt(tree, at);
    report(
      fault(
        scalar === undefined ? placeAt(tree, at) : placeInText(scalar, offset, length),
        "template-unknown-name",
        message,
        remedy,
      ),
    );
  }
  return compiled.template;
};

interface ExpressionSite {
  readonly route: RouteContext;
  readonly workshop: Workshop;
  readonly options: ExpressionOptions | undefined;
}

const expression = (
  text: string,
  { tree }: InstanceIr,
  at: Path,
  { route, workshop, options }: ExpressionSite,
): Expression | undefined => {
  const compiled = compileExpression(
    text,
    { params: route.params, claims: claimTypes(workshop), hasConsumers: false, clientIp: workshop.gateway.clientIp ?? "unknown" },
    options,
  );
  for (const { offset, length, code, message, remedy } of compiled.faults) {
    const scalar = treeAt(tree, at);
    workshop.report(
      fault(
        scalar === undefined ? placeAt(tree, at) : placeInText(scalar, offset, length),
        code,
        message,
        remedy,
      ),
    );
  }
  return compiled.expression;
};

/** Claims of all issuers; one whose type differs between issuers is of any type. */
const claimTypes = (workshop: Workshop): Record<string, string> => {
  const types: Record<string, string> = {};
  for (const issuer of workshop.issuers.values()) {
    for (const [name, type] of Object.entries(issuer.claims))
      types[name] = types[name] === undefined || types[name] === type ? type : "dyn";
  }
  return types;
};

/** A remedy for a name that is not there. */
export const nearest = (name: string, names: readonly string[], otherwise: string): string =>
  didYouMean(name, names) ?? otherwise;

import type { Exchange } from "../../src/core/exchange.ts";
import { applyHeaderEdits } from "../../src/core/header-edits.ts";
import type { Json } from "../../src/core/json.ts";
import type {
  CompileContext,
  FilterFactory,
  Handler,
  Instance,
  Level,
  PolicyType,
} from "../../src/core/policy.ts";
import type { Ports } from "../../src/core/ports.ts";
import type { TemplatePart } from "../../src/core/template.ts";
import { fakeSite } from "../support/ports.ts";

export interface FoundFault {
  readonly code: string;
  readonly at: string;
  readonly remedy: string;
  readonly node?: string;
}

/** Where an instance stands, beside what it says. */
export interface At {
  readonly config: unknown;
  readonly level?: Level;
  readonly node?: string;
}

/** What a test may say of the place; the rest is an open route of one API that knows its clients' addresses. */
export interface Place {
  readonly route?: Partial<CompileContext["route"]>;
  readonly gateway?: Partial<CompileContext["gateway"]>;
  readonly identity?: Partial<CompileContext["identity"]>;
}

/** Reads configurations with a policy's schema and compiles them; faults of both are told alike. */
export const compilePolicy = (
  type: PolicyType,
  configs: readonly At[],
  stage = "only",
  place: Place = {},
): { readonly step: Json | undefined; readonly faults: readonly FoundFault[] } => {
  const faults: FoundFault[] = [];
  const instances: Instance<unknown>[] = [];
  for (const { config, level = "route", node = "apis.shop.routes.route" } of configs) {
    const parsed = type.schema.safeParse(config);
    for (const issue of parsed.error?.issues ?? []) {
      const { params, message, errors, issues } = issue as {
        params?: { code?: string };
        message: string;
        errors?: { message: string }[][];
        issues?: { message: string }[];
      };
      const texts = [
        message,
        ...(errors ?? []).flat().map((inner) => inner.message),
        ...(issues ?? []).map((inner) => inner.message),
      ];
      const told = texts.find((text) => text.includes("\n")) ?? message;
      faults.push({
        code: params?.code ?? issue.code,
        at: issue.path.join("."),
        remedy: told.split("\n")[1] ?? told,
      });
    }
    if (parsed.success)
      instances.push({ config: parsed.data, level, node, path: [node, "policies", type.name] });
  }
  if (faults.length > 0) return { step: undefined, faults };
  const step = type.compile(instances, contextOf(faults, place), stage);
  return { step: step === undefined ? undefined : (JSON.parse(JSON.stringify(step)) as Json), faults };
};

const contextOf = (faults: FoundFault[], place: Place): CompileContext => ({
  route: {
    id: "shop.route",
    api: "shop",
    params: [],
    methods: [],
    declaredQuery: undefined,
    policies: new Set(),
    ...place.route,
  },
  gateway: { name: "shop", clientIp: "connection", development: false, ...place.gateway },
  identity: { policies: [], anonymous: false, steps: [], ...place.identity },
  issuer: () => undefined,
  issuerNames: [],
  consumers: new Map(),
  callers: { issuers: new Set(), consumers: new Set() },
  plans: new Map(),
  share: (name) => name,
  validator: ({ pointer }) => pointer,
  secret: ({ env }) => env,
  redis: () => true,
  template: (text) =>
    text
      .split(/(\{[a-z]+\.[A-Za-z]+\})/)
      .filter((part) => part !== "")
      .map((part) => {
        const found = /^\{([a-z]+)\.([A-Za-z]+)\}$/.exec(part);
        return found === null ? part : ({ from: found[1], name: found[2] } as TemplatePart);
      }),
  expression: () => undefined,
  report: (instance, at, { code, remedy }) =>
    void faults.push({ code, at: at.join("."), remedy, node: instance.node }),
});

/** Compiles one configuration that is expected to be sound, and links it as the gateway does. */
export const linkPolicy = async (
  type: PolicyType,
  config: unknown,
  ports: Ports,
  stage = "only",
  place: Place = {},
) => {
  const { step, faults } = compilePolicy(type, [{ config }], stage, place);
  if (faults.length > 0) throw new Error(JSON.stringify(faults));
  const loaded = (await type.filter()) as { readonly filter: FilterFactory<Json> };
  return (next: Handler): Handler =>
    step === undefined ? next : (loaded.filter(step, ports, fakeSite())?.(next) ?? next);
};

/** The answer as the client gets it: edits applied once, to whatever came out. */
export const clientAnswer = (exchange: Exchange, answer: Response): Response => {
  const headers = new Headers(answer.headers);
  applyHeaderEdits(headers, exchange.answerEdits);
  return new Response(answer.body, { status: answer.status, headers });
};

/** The header of the request as the upstream gets it. */
export const upstreamHeaders = (exchange: Exchange): Headers => {
  const headers = new Headers(exchange.request.headers);
  applyHeaderEdits(headers, exchange.requestEdits);
  return headers;
};

import { compileExpression } from "../../../src/compiler/expression.ts";
import type { Exchange } from "../../../src/core/exchange.ts";
import type { CompileContext, Handler, Instance } from "../../../src/core/policy.ts";
import { filter, type Step } from "../../../src/policies/body/filter.ts";
import { body } from "../../../src/policies/body/policy.ts";
import { fakePorts, fakeSite } from "../../support/ports.ts";

const NAMES = {
  params: ["orderId"],
  claims: { tenant: "string", roles: "strings", level: "int", any: "dyn" },
  hasConsumers: true,
  clientIp: "connection" as const,
};

export interface Told {
  readonly code: string;
  readonly at: string;
}

/** Compiles one configuration with expressions as the compiler compiles them; faults of schema and policy are told alike. */
export const compileBody = (
  config: unknown,
  stage: "request" | "response",
  { methods = [], level = "route" }: { methods?: readonly string[]; level?: "route" | "api" } = {},
): { readonly step: Step | undefined; readonly faults: readonly Told[] } => {
  const parsed = body.schema.safeParse(config);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => ({
      code: (issue as { params?: { code?: string } }).params?.code ?? issue.code,
      at: issue.path.join("."),
    }));
    return { step: undefined, faults };
  }
  const faults: Told[] = [];
  const context = {
    route: { id: "shop.route", methods },
    report: (_: Instance<unknown>, at: readonly (string | number)[], { code }: Told) =>
      void faults.push({ code, at: at.join(".") }),
    expression: (
      text: string,
      _: Instance<unknown>,
      at: readonly (string | number)[],
      options: { result: "dyn" },
    ) => {
      const compiled = compileExpression(text, NAMES, options);
      faults.push(...compiled.faults.map(({ code }) => ({ code, at: at.join(".") })));
      return compiled.expression;
    },
  } as unknown as CompileContext;
  const instance = { config: parsed.data, level, node: "route", path: [] };
  const step = body.compile([instance], context, stage) as Step | undefined;
  return { step: step && (JSON.parse(JSON.stringify(step)) as Step), faults };
};

/** Links one configuration that is expected to be sound, around what comes after it. */
export const linkBody = (config: unknown, stage: "request" | "response", next: Handler): Handler => {
  const { step, faults } = compileBody(config, stage);
  if (faults.length > 0) throw new Error(JSON.stringify(faults));
  return filter(step!, fakePorts(), fakeSite())!(next);
};

/** The bytes that the forwarder would send, as text; null for none. */
export const sentBody = async ({ request, requestBody }: Exchange): Promise<string | null> => {
  const source = requestBody === undefined ? request.body : requestBody;
  return source === null ? null : new Response(source).text();
};

/** A body that comes in pieces, and tells what became of it. */
export const pieces = (texts: readonly (string | Uint8Array)[], fails = false) => {
  const state = { pulled: 0, cancelled: false };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        const text = texts[state.pulled++];
        if (text !== undefined)
          controller.enqueue(typeof text === "string" ? new TextEncoder().encode(text) : text);
        else if (fails) controller.error(new Error("broke off"));
        else controller.close();
      },
      cancel: () => {
        state.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, state };
};

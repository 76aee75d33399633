import { MOCKED_ROUTE } from "../adapters/node/mock-service.ts";
import type { Json } from "../core/json.ts";
import type { ActionPlan, Plan, StepPlan } from "../core/plan.ts";
import type { Step as HeadersStep } from "../policies/headers/filter.ts";
import type { Step as ValidateStep } from "../policies/validate/filter.ts";

/** The upstream that stands for all others, and the binding behind which the mock is. */
const UPSTREAM = "mock";
export const MOCK_BINDING = "POSTERN_MOCK";

/**
 * The same gateway with one upstream in place of all: routes that would call a service ask the mock, and tell it which route they
 * are. Every policy runs as it is written, but that an answer which does not fit is only told of, for it is the document's own; what belongs to an upstream (tries, health, credentials) goes with it.
 */
export const mockPlan = (plan: Plan): Plan => {
  const steps = plan.steps.map(reporting);
  const told = (route: string): number => {
    const step: HeadersStep = { to: "request", edits: [{ op: "set", name: MOCKED_ROUTE, value: [route] }] };
    return steps.push({ policy: "headers", step }) - 1;
  };
  const routes = plan.routes.map((route) =>
    callsServices(route.action)
      ? {
          ...route,
          chain: [...route.chain, told(route.id)],
          action: { kind: "forward", upstream: UPSTREAM } as const,
        }
      : route,
  );
  const upstreams: Plan["upstreams"] = {
    [UPSTREAM]: {
      balancer: { name: "roundRobin" },
      targets: [
        { name: "only", origin: "http://mock.invalid", basePath: "", weight: 1, binding: MOCK_BINDING },
      ],
      timeoutMs: 10_000,
    },
  };
  const mocked = { ...plan, steps, routes, upstreams };
  return { ...mocked, secrets: plan.secrets.filter((name) => isNamed(name, { ...mocked, secrets: [] })) };
};

const reporting = (step: StepPlan): StepPlan => {
  if (step.policy !== "validate") return step;
  const judged = step.step as ValidateStep;
  return judged.to === "response" ? { ...step, step: { ...judged, report: true } } : step;
};

const callsServices = ({ kind }: ActionPlan): boolean =>
  kind === "forward" || kind === "split" || kind === "aggregate";

/** Whether anything but an upstream that is gone names a secret. */
const isNamed = (name: string, plan: Plan): boolean => mentions(plan as unknown as Json, name);

const mentions = (value: Json, text: string): boolean =>
  typeof value === "object" && value !== null
    ? Object.values(value).some((inner) => mentions(inner as Json, text))
    : value === text;

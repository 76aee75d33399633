import type { SeenRoute } from "../compiler/compile.ts";
import type { ContributedAnswer } from "../core/contribution.ts";
import { RETRY_AFTER } from "../core/described-fields.ts";
import type { ActionPlan, AggregatePlan, RedirectPlan, RespondPlan } from "../core/plan.ts";
import type { UpstreamPlan } from "../core/upstream-plan.ts";
import { type Answer, fieldsOf, gatewayAnswer } from "./answers.ts";

/** Idempotent methods, whose bodies are kept to be sent again (RFC 9110 section 9.2.2). */
const IDEMPOTENT = new Set(["PUT", "DELETE"]);

/** What the gateway itself answers at the end of a route's chain, by what the route does. */
export const endAnswers = (
  seen: SeenRoute,
  method: string,
  upstreams: Readonly<Record<string, UpstreamPlan>>,
): readonly Answer[] => {
  const { route, plan, context } = seen;
  const { action } = plan;
  const answer = (it: ContributedAnswer): Answer => gatewayAnswer(it, route.place);
  switch (action.kind) {
    case "respond":
      return [responded(action, seen)];
    case "redirect":
      return redirected(action).map(answer);
    case "aggregate":
      return [joined(action, seen), ...AGGREGATE_FAILURES.map(answer)];
    case "asset":
      return [];
    default:
      return [
        ...upstreamsOf(action).flatMap((name) => failures(upstreams[name]!, method)),
        ...(action.rewrite?.path === undefined ? [] : [UNFIT_PATH]),
        ...(action.websocket === true && method === "GET" ? webSocket(context.route.policies) : []),
      ].map(answer);
  }
};

/** Names of the upstreams to which requests go. */
export const upstreamsOf = (action: ActionPlan): readonly string[] =>
  action.kind === "forward"
    ? [action.upstream]
    : action.kind === "split"
      ? action.lanes.map(({ upstream }) => upstream)
      : action.kind === "aggregate"
        ? action.calls.map(({ upstream }) => upstream)
        : [];

const UNFIT_PATH: ContributedAnswer = {
  status: 400,
  description: "The path cannot be passed on as it is.",
  codes: ["path-refused"],
};

/** What is answered where no target of an upstream does; see `runtime/failures.ts`. */
const failures = (upstream: UpstreamPlan, method: string): readonly ContributedAnswer[] => {
  const { retry, hedge, circuitBreaker, idempotentBy } = upstream;
  const keepsBody =
    retry !== undefined && (IDEMPOTENT.has(method) || (idempotentBy !== undefined && method !== "GET"));
  const unavailable = [
    "no-target",
    ...(retry !== undefined || hedge !== undefined ? ["upstream-unavailable"] : []),
    ...(circuitBreaker?.failureRatio === undefined ? [] : ["circuit-open"]),
    ...(circuitBreaker?.maxPending === undefined ? [] : ["upstream-busy"]),
  ];
  return [
    ...(keepsBody
      ? [{ status: 408, description: "The body did not come in time.", codes: ["body-timeout"] }]
      : []),
    { status: 502, description: "The service could not be reached.", codes: ["upstream-failed"] },
    {
      status: 503,
      description: "The service cannot be called now.",
      codes: unavailable,
      fields: RETRY_AFTER,
    },
    { status: 504, description: "The service did not answer in time.", codes: ["upstream-timeout"] },
  ];
};

const webSocket = (policies: ReadonlySet<string>): readonly ContributedAnswer[] => [
  { status: 101, description: "The WebSocket is open." },
  {
    status: 400,
    description: "The opening of the WebSocket is not in order.",
    codes: ["websocket-key", "websocket-version"],
  },
  ...(policies.has("cors")
    ? [
        {
          status: 403,
          description: "Pages of this origin may not open a WebSocket here.",
          codes: ["origin-refused"],
        },
      ]
    : []),
];

const responded = ({ status, headers, body }: RespondPlan, { route }: SeenRoute): Answer => {
  const type = Object.entries(headers).find(([name]) => name.toLowerCase() === "content-type")?.[1];
  const own = Object.entries(headers).filter(([name]) => name.toLowerCase() !== "content-type");
  return {
    ...gatewayAnswer({ status, description: "A fixed answer of the gateway." }, route.place),
    fields: fieldsOf(
      Object.fromEntries(
        own.map(([name, value]) => [
          name,
          { description: "Always the same.", required: true, schema: { type: "string", const: value } },
        ]),
      ),
    ),
    content: body === null || body === "" ? {} : { [type?.split(";")[0] ?? "text/plain"]: { schema: {} } },
  };
};

const redirected = ({ status, scheme, port, host, path }: RedirectPlan): readonly ContributedAnswer[] => [
  {
    status,
    description: "It is elsewhere.",
    fields: {
      Location: {
        description: "Where (RFC 9110 section 10.2.2).",
        required: true,
        schema: { type: "string", format: "uri" },
      },
    },
  },
  ...(path === undefined ? [] : [UNFIT_PATH]),
  ...(host === undefined && path === undefined && (scheme !== undefined || port !== undefined)
    ? [
        {
          status: 508,
          description: "This request is where it would be redirected to.",
          codes: ["redirect-loop"],
        },
      ]
    : []),
];

const joined = ({ calls }: AggregatePlan, { route }: SeenRoute): Answer => ({
  ...gatewayAnswer({ status: 200, description: "The answers of several services in one." }, route.place),
  fields: fieldsOf({
    "Postern-Partial": {
      description: "Which members could not be had, and hold what stands for them.",
      schema: { type: "string" },
    },
  }),
  content: {
    "application/json": {
      schema: {
        type: "object",
        required: calls.map(({ name }) => name).sort(),
        properties: Object.fromEntries(calls.map(({ name }) => [name, {}])),
      },
    },
  },
});

const AGGREGATE_FAILURES: readonly ContributedAnswer[] = [403, 404, 410, 502, 504].map((status) => ({
  status,
  description: "What the answer is made of could not be had.",
  codes: ["aggregate-failed"],
}));

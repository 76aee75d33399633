import colors from "picocolors";
import type { ExplainedAction } from "../compiler/explain/action.ts";
import type { ExplainedPolicy, RemovedPolicy } from "../compiler/explain/policies.ts";
import type { Other } from "../compiler/explain/routing.ts";
import type { Place } from "../core/diagnostic.ts";
import type { ExplainedCache } from "./explain-cache.ts";
import type { ExplainedCaller } from "./explain-caller.ts";
import type { ExplainedRequest } from "./explaining.ts";

/** Characters of a policy's settings that are shown. */
const WIDTH = 100;

/** An explanation for people. */
export const explanationText = (explained: ExplainedRequest): string => {
  const { request, policies, removed, action, caller, cache } = explained;
  const sections = [
    [
      `${colors.bold(`${request.method} ${request.url}`)}`,
      `  host ${request.host}`,
      ...(request.refused ? [] : [`  path ${request.path}`]),
      ...(request.preflightMethod === undefined
        ? []
        : [`  a preflight: routed as ${request.preflightMethod}, whatever headers routes ask for`]),
    ],
    outcomeLines(explained),
    otherLines(explained.others, explained.left, explained.route === undefined),
    section("Policies, in the order in which they run", policies.flatMap(policyLines)),
    section("Taken away", removed.map(removedLine)),
    section("Caller", caller === undefined ? [] : callerLines(caller)),
    section("Then", action === undefined ? [] : actionLines(action)),
    section(
      caller !== undefined && caller.verdict !== "passes" ? "Cache, if another caller came so far" : "Cache",
      cache === undefined ? [] : cacheLines(cache),
    ),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
};

const at = ({ file, line, column }: Place): string => colors.dim(`${file}:${line}:${column}`);

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [colors.bold(title), ...lines.map((line) => `  ${line}`)];

const outcomeLines = ({ route, answer, hosts }: ExplainedRequest): string[] => {
  if (route !== undefined) {
    const params = Object.entries(route.params).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
    return [
      `${colors.green(route.id)} takes it  ${at(route.place)}`,
      `  by ${route.takes} at ${route.host}`,
      ...(params.length > 0 ? [`  with ${params.join(", ")}`] : []),
    ];
  }
  const { status, code, detail, reason, allow } = answer!;
  return [
    `${colors.red(String(status))} ${code}: ${detail}`,
    ...(reason === undefined ? [] : [`  ${reason}`]),
    ...(allow === undefined ? [] : [`  Allow: ${allow}`]),
    ...(hosts === undefined ? [] : [`  the gateway has no such host; its hosts are ${hosts.join(", ")}`]),
  ];
};

const otherLines = (others: readonly Other[], left: number, nobody: boolean): string[] => {
  if (others.length === 0) return [];
  return [
    ...section(
      nobody ? "Routes that come near" : "Why others do not",
      others.flatMap(({ id, place, takes, why }) => [`${id}  ${at(place)}`, `  takes ${takes}; ${why}`]),
    ),
    ...(left > 0 ? [`  and ${left} more`] : []),
  ];
};

const policyLines = (policy: ExplainedPolicy, index: number): string[] => {
  const { policy: name, stage, runs, place, how, config } = policy;
  const what = stage === undefined ? name : `${name} (${stage.replaceAll("-", " ")})`;
  const idle = runs ? "" : colors.dim(", has nothing to do here");
  return [
    `${String(index + 1).padStart(2)} ${colors.cyan(what)}  ${place === undefined ? "" : `${at(place)}  `}${how}${idle}`,
    ...(config === undefined ? [] : [`   ${shortened(JSON.stringify(config))}`]),
  ];
};

const shortened = (text: string): string => (text.length <= WIDTH ? text : `${text.slice(0, WIDTH - 1)}…`);

const removedLine = ({ policy, stands, removedAt, by }: RemovedPolicy): string =>
  `${policy} of ${at(stands)} by ${by === "none" ? "`none`" : "`public: true`"} at ${at(removedAt)}`;

const callerLines = ({ claims, verdict, identity, refusal, doubts }: ExplainedCaller): string[] => [
  ...(claims === undefined
    ? []
    : [`the token claims ${JSON.stringify(claims)}; its signature is taken for good`]),
  verdict === "passes"
    ? `passes as ${identity!.kind === "anonymous" ? "nobody in particular" : `${identity!.kind} ${identity!.id}`}`
    : verdict === "refused"
      ? `is refused: ${refusal!.status} ${refusal!.code}, ${refusal!.why}`
      : "cannot be said here",
  ...doubts.map((doubt) => `not certain: ${doubt}`),
];

const actionLines = ({ place, does, upstreams }: ExplainedAction): string[] => [
  `${does[0]}  ${at(place)}`,
  ...does.slice(1),
  ...upstreams.flatMap(({ name, place: stands, targets, timeoutMs, has }) => [
    `upstream ${name}  ${at(stands)}`,
    `  ${targets.join(", ")}`,
    `  ${[`${timeoutMs} ms for all tries`, ...has].join("; ")}`,
  ]),
];

const cacheLines = ({ mayAnswer, why, key, tiers, tags, lifetimes, answers }: ExplainedCache): string[] => [
  `${mayAnswer ? "may be answered from a store" : "is not answered from a store"}: ${why}`,
  `kept in ${tiers.join(", ")}; ${lifetimes.join("; ")}`,
  "an entry is found by",
  ...key.map((part) => `  ${part}`),
  ...(tags.length === 0 ? [] : [`and purged by the tags ${tags.join(", ")}`]),
  "an answer of the upstream with",
  ...answers.map(({ answer, stored, verdict }) => `  ${answer}: ${stored ? colors.green(verdict) : verdict}`),
];

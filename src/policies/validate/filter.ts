import type { FilterFactory } from "../../core/policy.ts";
import type { BodyPlan } from "./body.ts";
import type { ParameterPlan } from "./parameters.ts";
import { linkRequest } from "./request.ts";
import { type AnswerPlan, linkResponse } from "./response.ts";

export type RequestStep = {
  readonly to: "request";
  /** Where the policy stands, for the log. */
  readonly node: string;
  /** Only logs and counts. */
  readonly report?: true;
  readonly parameters: readonly ParameterPlan[];
  /** What happens to query parameters that are not declared. */
  readonly unknown: "ignore" | "refuse" | "remove";
  /** Names of query parameters that carry credentials, and so are declared elsewhere. */
  readonly alsoKnown?: readonly string[];
  readonly body?: BodyPlan;
};

export type ResponseStep = {
  readonly to: "response";
  readonly node: string;
  readonly report?: true;
  readonly maxBytes: number;
  /** By status, as documents write it: `200`, `2XX`, `default`. */
  readonly answers: Readonly<Record<string, AnswerPlan>>;
};

export type Step = RequestStep | ResponseStep;

/** Judges requests, or answers, by what the OpenAPI operation says of them. */
export const filter: FilterFactory<Step> = (step, ports, site) =>
  step.to === "request" ? linkRequest(step, ports, site) : linkResponse(step, ports, site);

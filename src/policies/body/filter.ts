import type { Expression } from "../../core/expression.ts";
import type { FilterFactory } from "../../core/policy.ts";
import { linkRequest } from "./request.ts";
import { linkResponse } from "./response.ts";
import type { Token } from "./walk.ts";

/** An operation of RFC 6902. */
export type EditStep = {
  readonly op: "add" | "remove" | "replace" | "move" | "copy" | "test";
  /** Tokens of a pointer; null stands for every member or element. */
  readonly path: readonly Token[];
  readonly from?: readonly Token[];
  /** As JSON text. */
  readonly value?: string;
  /** For the value, in its place; of requests only. */
  readonly expression?: Expression;
  readonly optional?: boolean;
};

export type Step = {
  readonly to: "request" | "response";
  readonly maxBytes: number;
  readonly edits: readonly EditStep[];
  /** Of answers: tells what these edits make of one from what others would. */
  readonly mark?: string;
};

/** Edits the JSON bodies of requests, or of answers. */
export const filter: FilterFactory<Step> = (step, ports) =>
  step.to === "request" ? linkRequest(step, ports) : linkResponse(step);

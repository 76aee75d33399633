import type { Exchange } from "../../core/exchange.ts";
import type { Site } from "../../core/policy.ts";
import type { Validator } from "../../core/validator.ts";
import { cookieValue, cookieValues } from "../../lib/cookies.ts";
import { linkPairs, pairsOf, type RawPair } from "../../lib/parameter-pairs.ts";
import {
  decodeField,
  decodeForm,
  decodePercent,
  isObjectWanted,
  isUnreadable,
  readStyled,
  type Style,
  type Wanted,
} from "../../lib/parameter-styles.ts";
import { type Fault, judge, MOST_FAULTS, nameOf, UNREADABLE } from "./faults.ts";
import { NotJson, parsedJson } from "./json.ts";

/** A parameter of an operation, or a field of an answer. */
export type ParameterPlan = {
  readonly name: string;
  readonly in: "path" | "query" | "header" | "cookie";
  readonly style: Style;
  readonly explode: boolean;
  readonly wanted: Wanted;
  readonly required?: true;
  /** Reserved characters stand for themselves in it. */
  readonly reserved?: true;
  /** An empty value is as good as one that fits. */
  readonly allowEmpty?: true;
  /** It is text in JSON. */
  readonly json?: true;
  /** Which segment of the path it is, counted from the end; needed where delimiters are told from what is encoded. */
  readonly segment?: number;
  readonly validator?: string;
};

/** A parameter with the code that judges it. */
export interface LinkedParameter extends ParameterPlan {
  readonly validate: Validator | undefined;
}

export const linkParameter = (plan: ParameterPlan, site: Site): LinkedParameter => ({
  ...plan,
  validate: plan.validator === undefined ? undefined : site.validator(plan.validator),
});

/** Adds what is wrong with the parameters of a request. */
export type JudgeParameters = (exchange: Exchange, faults: Fault[]) => void;

/** Prepares the judging of all parameters but those of the query. */
export const linkFixed = (parameters: readonly LinkedParameter[]): JudgeParameters => {
  if (parameters.length === 0) return () => undefined;
  return (exchange, faults) => {
    for (const parameter of parameters) {
      const raw = rawOf(exchange, parameter);
      judgeParameter(parameter, raw === undefined ? undefined : readOne(raw, parameter), raw, faults);
      if (parameter.in === "cookie" && raw !== undefined) judgeOthers(exchange, parameter, faults);
    }
  };
};

/** Browsers send cookies of one name for several paths: every one has to be good, whichever the service reads. */
const judgeOthers = (exchange: Exchange, parameter: LinkedParameter, faults: Fault[]): void => {
  const before = faults.length;
  for (const raw of cookieValues(exchange.request.headers.get("cookie"), parameter.name).slice(1)) {
    if (faults.length > before) return;
    judgeParameter(parameter, readOne(listed(raw, parameter), parameter), raw, faults);
  }
};

const readOne = (raw: string, parameter: LinkedParameter): unknown => {
  const decode =
    parameter.in === "header"
      ? decodeField
      : parameter.in === "path" && parameter.segment === undefined
        ? same
        : decodePercent;
  if (parameter.json) return parsedJson(decode(raw));
  return readStyled(raw, parameter, decode);
};

const same = (text: string): string => text;

const rawOf = ({ request, params, path }: Exchange, parameter: LinkedParameter): string | undefined => {
  const { name } = parameter;
  switch (parameter.in) {
    case "header":
      return request.headers.get(name) ?? undefined;
    case "cookie":
      return cookieOf(request.headers.get("cookie"), parameter);
    default:
      return parameter.segment === undefined ? params[name] : path.split("/").at(-1 - parameter.segment);
  }
};

/** A cookie's value; a list that is written as `a=1&a=2` inside of one comes as `1,2`. */
const cookieOf = (field: string | null, parameter: LinkedParameter): string | undefined => {
  const { name, explode, wanted } = parameter;
  if (explode && isObjectWanted(wanted) && wanted.items === undefined) {
    const members = Object.keys(wanted.properties ?? {}).flatMap((member) => {
      const value = cookieValue(field, member);
      return value === undefined ? [] : [`${member}=${value}`];
    });
    return members.length === 0 ? undefined : members.join(",");
  }
  const value = cookieValue(field, name);
  return value === undefined ? undefined : listed(value, parameter);
};

const listed = (value: string, { name, explode, wanted }: LinkedParameter): string =>
  explode && wanted.items !== undefined ? value.replaceAll(`&${name}=`, ",") : value;

/** Prepares the judging of a query. `onUnknown` gets what nobody declares. */
export const linkQuery = (
  parameters: readonly LinkedParameter[],
  unknown: "ignore" | "refuse" | "remove",
  alsoKnown: readonly string[],
): JudgeParameters => {
  if (parameters.length === 0 && unknown === "ignore") return () => undefined;
  const read = linkPairs(parameters);
  const known = new Set(alsoKnown);
  const { length } = parameters;
  return (exchange, faults) => {
    const { query } = exchange;
    if (query.length < 2) {
      for (const parameter of parameters) judgeParameter(parameter, undefined, undefined, faults);
      return;
    }
    const pairs = pairsOf(query.slice(1));
    const found = read(pairs);
    for (let index = 0; index < length; index++) {
      const parameter = parameters[index]!;
      const value = found.values[index];
      const raw = parameter.json || parameter.allowEmpty ? onlyRaw(parameter, pairs) : undefined;
      const given = parameter.json && typeof value === "string" ? parsedJson(decodeForm(raw!)) : value;
      judgeParameter(parameter, given, raw, faults);
    }
    if (unknown === "ignore") return;
    const strange = found.unknown.filter(({ name }) => name === undefined || !known.has(name));
    if (strange.length === 0) return;
    if (unknown === "remove") {
      const names = new Set(strange.map(({ rawName }) => rawName));
      const kept = query
        .slice(1)
        .split("&")
        .filter((pair) => !names.has(pair.split("=", 1)[0]!));
      exchange.upstreamQuery = kept.length === 0 ? "" : `?${kept.join("&")}`;
      return;
    }
    for (const { name } of strange) {
      if (faults.length >= MOST_FAULTS) return;
      faults.push(
        name === undefined
          ? {
              in: "query",
              code: "malformed-encoding",
              message: "has a name whose percent-encoding is broken",
            }
          : { in: "query", name: nameOf(name), code: "unknown", message: "is not known here" },
      );
    }
  };
};

/** How a parameter is written that stands once, and as a whole under its name. */
const onlyRaw = (
  { name, style, explode, wanted }: ParameterPlan,
  pairs: readonly RawPair[],
): string | undefined => {
  if (style === "deepObject" || (explode && isObjectWanted(wanted))) return undefined;
  const found = pairs.filter((pair) => pair.name === name);
  return found.length === 1 ? found[0]!.raw : undefined;
};

/** Adds what is wrong with one parameter; `raw` is how it is written where that tells an empty one. */
export const judgeParameter = (
  parameter: LinkedParameter,
  value: unknown,
  raw: string | undefined,
  faults: Fault[],
): void => {
  const { name, validate, wanted } = parameter;
  if (value === undefined) {
    if (parameter.required) tell(parameter, "required", "is missing", faults);
    return;
  }
  if (parameter.allowEmpty && raw === "") return;
  if (value instanceof NotJson) {
    tell(parameter, "malformed-json", value.because, faults);
    return;
  }
  if (isUnreadable(value)) {
    tell(parameter, value.unreadable, UNREADABLE[value.unreadable], faults);
    return;
  }
  if (validate === undefined || faults.length >= MOST_FAULTS) return;
  // What could be read as a number or a word may be meant as a text.
  if (
    typeof value !== "string" &&
    typeof value !== "object" &&
    wanted.scalars.length > 1 &&
    wanted.scalars.endsWith("s")
  ) {
    if (isFit(validate, value) || isFit(validate, String(value))) return;
  }
  judge(validate, value, { in: parameter.in, name }, faults);
};

const isFit = (validate: Validator, value: unknown): boolean => validate(value);

const tell = ({ name, in: place }: LinkedParameter, code: string, message: string, faults: Fault[]): void => {
  if (faults.length < MOST_FAULTS) faults.push({ in: place, name, code, message });
};

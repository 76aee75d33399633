import { z } from "zod";
import type { Json } from "../../core/json.ts";
import type { OperationInfo, ParameterInfo } from "../../core/operation.ts";
import { type CompileContext, definePolicy, type Instance } from "../../core/policy.ts";
import { valueAt } from "../../lib/json-pointer-path.ts";
import { explain, oneOf, size } from "../shapes.ts";
import type { BodyPlan } from "./body.ts";
import { DESCRIBED_ANSWERS, describedRequests } from "./described.ts";
import type { RequestStep, ResponseStep, Step } from "./filter.ts";
import { mediaPlans } from "./media-plans.ts";
import { isWithheld, parameterPlans } from "./parameter-plans.ts";
import type { ParameterPlan } from "./parameters.ts";
import type { AnswerPlan } from "./response.ts";
import { wantedOf } from "./wanted.ts";

const MEBIBYTE = 1024 * 1024;
const LARGEST = 16 * MEBIBYTE;

const schema = z
  .strictObject({
    request: z
      .boolean()
      .default(true)
      .describe(
        "Whether requests are judged: parameters in path, query, header and cookies by their styles, and bodies of JSON, forms and text by their media type. A fault is answered with 422 and lists every one, a body of another type with 415, one that is not of its type with 400; so is JSON in which an object has two members of one name, which services read differently.",
      ),
    response: z
      .boolean()
      .default(false)
      .describe(
        "Whether the service's answers are judged: the status, the media type, fields of the header and bodies of JSON. In place of one that does not fit, the caller gets 502 and the log says why. Passed without being judged, with a note in the log: a status that is not described, an answer larger than `maxBody`, one with a content coding. Streams of events and other types are never held up. A stored answer was judged before it was stored.",
      ),
    mode: oneOf("enforce", "report")
      .default("enforce")
      .describe("Whether what does not fit is refused, or only written into the log and counted."),
    unknownParameters: oneOf("ignore", "refuse", "remove")
      .default("ignore")
      .describe(
        "What happens to query parameters that the operation does not describe: they pass, are a fault, or do not reach the service.",
      ),
    unknownProperties: oneOf("schema", "refuse")
      .default("schema")
      .describe(
        "Properties that a schema does not name: as the schema says, which mostly is that they pass; or a fault wherever a schema lists properties and says nothing of others.",
      ),
    otherDirection: oneOf("ignore", "refuse")
      .default("ignore")
      .describe(
        "What is `readOnly` in a request, and what is `writeOnly` in an answer, is never required; if it is there it passes without being judged, or is a fault.",
      ),
    formats: oneOf("check", "ignore")
      .default("check")
      .describe("Whether `format` is checked, for the formats that JSON Schema and OpenAPI define."),
    maxBody: size()
      .refine((bytes) => bytes > 0 && bytes <= LARGEST, {
        error: explain(
          "A body that is judged is held in memory, and cannot be as large.",
          "Write a size from 1B to 16MiB: 64KiB.",
        ),
      })
      .default(MEBIBYTE)
      .describe(
        "The largest body that is judged; a larger request is answered with 413, a larger answer passes as it is. Bodies that no schema describes are not read, and may be of any size. Default 1MiB.",
      ),
  })
  .refine(({ request, response }) => request || response, {
    error: explain("Nothing is judged.", "Write `request: true`, `response: true`, or `validate: none`."),
  });

type Config = z.output<typeof schema>;

/** Judges requests and answers by the OpenAPI operation of the route. */
export const validate = definePolicy({
  name: "validate",
  summary: "Judges requests and answers by what the route's OpenAPI operation says of them.",
  attachment: "replaced",
  schema,
  compile: ([instance], context, stage): Step | undefined => {
    if (instance === undefined) return undefined;
    const { operation } = context.route;
    if (operation === undefined) {
      if (instance.level === "route" && stage === "request") tellNoOperation(instance, context);
      return undefined;
    }
    if (stage === "request")
      return instance.config.request ? requestStep(instance, operation, context) : undefined;
    return instance.config.response ? responseStep(instance, operation, context) : undefined;
  },
  describe: ([instance], context, stage) => {
    const { operation } = context.route;
    if (instance === undefined || operation === undefined || instance.config.mode === "report") return {};
    return stage === "request" ? describedRequests(operation, instance.config) : DESCRIBED_ANSWERS;
  },
  filter: () => import("./filter.ts"),
});

const tellNoOperation = (instance: Instance<Config>, context: CompileContext): void =>
  context.report(instance, [], {
    code: "no-operation",
    message: `${context.route.id} comes from no OpenAPI operation, so there is nothing to judge by.`,
    remedy: "Name the route after an operation of the api's document, or remove `validate`.",
    onKey: true,
  });

/** Names validators of an operation's document. */
const naming =
  (
    { config }: Instance<Config>,
    { document }: OperationInfo,
    direction: "request" | "response",
    context: CompileContext,
  ) =>
  (pointer: string): string =>
    context.validator({
      document,
      pointer,
      direction,
      closed: config.unknownProperties === "refuse",
      refuseOtherDirection: config.otherDirection === "refuse",
      formats: config.formats === "check",
    });

const nodeOf = ({ node }: Instance<Config>): string => `${node}.policies.validate`;

const requestStep = (
  instance: Instance<Config>,
  operation: OperationInfo,
  context: CompileContext,
): RequestStep | undefined => {
  const { config } = instance;
  const name = naming(instance, operation, "request", context);
  const other = context.otherParameters?.() ?? { withheld: [], credentials: [] };
  const isOurs = (parameter: ParameterInfo): boolean => isWithheld(parameter, other.withheld);
  const parameters = parameterPlans(operation, name, isOurs);
  const body = operation.body && bodyPlan(operation, config, name);
  const { unknownParameters: unknown } = config;
  if (parameters.length === 0 && body === undefined && unknown === "ignore") return undefined;
  const alsoKnown =
    unknown === "ignore"
      ? []
      : [
          ...new Set([
            ...credentialParameters(operation),
            ...other.credentials,
            ...other.withheld.flatMap(({ query }) => query ?? []),
          ]),
        ].sort();
  return {
    to: "request",
    node: nodeOf(instance),
    ...(config.mode === "report" && { report: true as const }),
    parameters,
    unknown,
    ...(alsoKnown.length > 0 && { alsoKnown }),
    ...(body && { body }),
  };
};

const bodyPlan = (
  { body, document }: OperationInfo,
  { maxBody }: Config,
  name: (pointer: string) => string,
): BodyPlan | undefined => {
  const { content, required } = body!;
  const media = mediaPlans(content, document, name);
  if (media.length === 0) return undefined;
  const accept = [...new Set(Object.keys(content).map((range) => range.toLowerCase()))].join(", ");
  return { ...(required && { required: true as const }), maxBytes: maxBody, media, accept };
};

/** Names of query parameters that security schemes of the document use. */
const credentialParameters = ({ document }: OperationInfo): string[] => {
  const schemes = valueAt(document.json, "/components/securitySchemes");
  if (typeof schemes !== "object" || schemes === null) return [];
  const names = Object.values(schemes).flatMap((scheme: Json) => {
    const found = document.resolve(scheme) as { readonly in?: unknown; readonly name?: unknown } | undefined;
    return found?.in === "query" && typeof found.name === "string" ? [found.name] : [];
  });
  return [...new Set(names)].sort();
};

const responseStep = (
  instance: Instance<Config>,
  operation: OperationInfo,
  context: CompileContext,
): ResponseStep => {
  const { config } = instance;
  const name = naming(instance, operation, "response", context);
  const answers = Object.entries(operation.responses).map(
    ([status, { content, headers }]): [string, AnswerPlan] => [
      status,
      { media: mediaPlans(content, operation.document, name), fields: fieldPlans(headers, operation, name) },
    ],
  );
  return {
    to: "response",
    node: nodeOf(instance),
    ...(config.mode === "report" && { report: true as const }),
    maxBytes: config.maxBody,
    answers: Object.fromEntries(answers),
  };
};

/** Plans fields of answers: their style is simple, and their type is described elsewhere (OpenAPI 3.1 section 4.8.21). */
const fieldPlans = (
  headers: Readonly<Record<string, string>>,
  { document }: OperationInfo,
  name: (pointer: string) => string,
): ParameterPlan[] =>
  Object.entries(headers).flatMap(([field, pointer]): ParameterPlan[] => {
    const header = valueAt(document.json, pointer) as { readonly [name: string]: Json } | undefined;
    if (header === undefined || field.toLowerCase() === "content-type") return [];
    const written = header["schema"];
    return [
      {
        name: field,
        in: "header",
        style: "simple",
        explode: header["explode"] === true,
        wanted: wantedOf(written, document),
        ...(header["required"] === true && { required: true as const }),
        ...(written !== undefined && { validator: name(`${pointer}/schema`) }),
      },
    ];
  });

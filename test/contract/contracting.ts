import { readTree } from "../../src/config/load.ts";
import { compileContract } from "../../src/contract/compile.ts";
import type { PublicContract } from "../../src/contract/public.ts";
import type { Json } from "../../src/core/json.ts";
import { sourcesOf } from "../support/compiling.ts";

export type Files = Readonly<Record<string, string>>;

const GATEWAY = "gateway:\n  hosts: { public: api.example.com }\n  clientIp: cloudflare\n";

const ISSUERS = `issuers:
  main: { issuer: "https://login.example.com/", audiences: [shop], algorithms: [HS256], secret: { env: SECRET }, claims: { roles: strings } }
  jobs: { issuer: jobs, audiences: [shop], algorithms: [HS256], secret: { env: SECRET } }
`;

/** The contract of some files; what is wrong with them is thrown. */
export const contractOf = (policies: Files, openapi: Files = {}, environment?: string): PublicContract => {
  const sources = sourcesOf(policies, openapi);
  const read = readTree(sources.policies);
  const { value, diagnostics } = compileContract(read.value!, sources, environment, read.diagnostics);
  if (value === undefined) throw new Error(JSON.stringify(diagnostics, undefined, 2));
  return value;
};

/** The contract of one file with apis, beside a gateway, two issuers and an upstream. */
export const contractOfApis = (
  apis: string,
  { gateway = GATEWAY, openapi = {}, more = "" }: { gateway?: string; openapi?: Files; more?: string } = {},
): PublicContract =>
  contractOf(
    {
      "gateway.yaml": gateway,
      "issuers.yaml": ISSUERS,
      "upstreams.yaml": `upstreams:\n  plain: { targets: { main: { binding: MAIN } } }\n`,
      "keeper.yaml":
        "apis:\n  keeper:\n    upstream: plain\n    routes: { keep: { match: { pathPrefix: /keeper }, policies: { jwt: {} } } }\n",
      "apis.yaml": apis,
      ...(more === "" ? {} : { "more.yaml": more }),
    },
    openapi,
  );

/** What stands at some steps of a value, references of the document followed. */
export const at = (document: Json, ...steps: readonly (string | number)[]): Json | undefined => {
  let found: Json | undefined = document;
  for (const step of steps) {
    found = resolved(document, (found as Record<string, Json> | undefined)?.[step]);
    if (found === undefined) return undefined;
  }
  return found;
};

const resolved = (document: Json, value: Json | undefined): Json | undefined => {
  const reference = (value as { $ref?: Json } | null | undefined)?.$ref;
  return typeof reference === "string" ? at(document, ...reference.slice(2).split("/")) : value;
};

/** The codes of problems with which an answer may come. */
export const codesOf = (
  document: Json,
  path: string,
  method: string,
  status: number | string,
): readonly string[] => {
  const schema = at(
    document,
    "paths",
    path,
    method,
    "responses",
    String(status),
    "content",
    "application/problem+json",
    "schema",
  );
  const forms = (schema as { anyOf?: Json[] } | undefined)?.anyOf ?? [schema];
  const [, narrowed] = (forms.at(-1) as { allOf?: Json[] } | undefined)?.allOf ?? [];
  return (at(narrowed ?? {}, "properties", "code", "enum") ?? []) as string[];
};

export const fieldsOf = (document: Json, path: string, method: string, status: number | string): string[] =>
  Object.keys((at(document, "paths", path, method, "responses", String(status), "headers") ?? {}) as object);

export const statusesOf = (document: Json, path: string, method: string): string[] =>
  Object.keys((at(document, "paths", path, method, "responses") ?? {}) as object);

import { applyD1Migrations, env, reset } from "cloudflare:test";
import { expect } from "vitest";
import type { ZodType } from "zod";
import type { CredentialPlan } from "../../src/core/upstream-plan.ts";
import { Problem } from "../../src/services/http/problem.ts";
import type { ServiceBindings } from "../../src/services/http/service.ts";
import { gatewayWith, KEYS } from "./gateway.ts";

interface Worker {
  readonly fetch: (request: Request, bindings: ServiceBindings) => Response | Promise<Response>;
}

interface Operation {
  readonly operationId?: string;
  readonly responses?: Readonly<Record<string, { readonly content?: object }>>;
}

interface Document {
  readonly tags?: readonly { readonly name: string }[];
  readonly paths?: Readonly<Record<string, object>>;
}

/** What a test sends: JSON as `json`, or any body as it is. */
export interface Sent {
  readonly json?: unknown;
  readonly body?: BodyInit;
  readonly headers?: Readonly<Record<string, string>>;
  readonly bindings?: ServiceBindings;
}

/** What a test looks at. */
export interface Answer<T = unknown> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

/** An empty database, as the migrations make it. */
export const freshDatabase = async (): Promise<void> => {
  await reset();
  await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
};

/** Bindings whose database fails with a message that no client may see. */
export const brokenBindings: ServiceBindings = {
  ...KEYS,
  DB: {
    prepare: () => {
      throw new Error("D1_ERROR: secret detail of the database");
    },
  } as unknown as ServiceBindings["DB"],
};

/** The documented operation that a request meets. */
const operationAt = ({ paths = {} }: Document, method: string, path: string): Operation | undefined => {
  const template = Object.keys(paths).find((candidate) =>
    new RegExp(`^${candidate.replaceAll(/\{.+?\}/g, "[^/]+")}$`).test(path),
  );
  const item = (template === undefined ? {} : paths[template]) as Record<string, Operation | undefined>;
  return item[method.toLowerCase()];
};

/**
 * Sends requests to a service as its gateway does, and holds every answer against its document: the status is one that the
 * operation documents, the media type and the body are those of that status, and a problem is one in all its parts.
 */
export const clientOf = (
  worker: Worker,
  document: Document,
  credential: CredentialPlan,
  schemas: Readonly<Record<string, ZodType>>,
) => {
  const throughGateway = gatewayWith(credential);
  const checkBody = (operation: Operation, answer: Answer, mediaType: string): void => {
    const documented = operation.responses?.[answer.status];
    expect(documented, `status ${answer.status} is documented`).toBeDefined();
    const content = (documented?.content ?? {}) as Record<string, { schema: { $ref: string } }>;
    expect(Object.keys(content)).toEqual(mediaType === "" ? [] : [mediaType]);
    const name = content[mediaType]?.schema.$ref.split("/").at(-1) ?? "";
    const schema = schemas[name];
    // Parsing drops what a schema does not name: so equal means that nothing undocumented is answered.
    if (schema !== undefined) expect(schema.parse(answer.body)).toEqual(answer.body);
  };

  const send = async (method: string, target: string, sent: Sent = {}): Promise<Answer> => {
    const headers = new Headers(sent.headers);
    if (sent.json !== undefined) headers.set("content-type", "application/json");
    const body = sent.json === undefined ? sent.body : JSON.stringify(sent.json);
    const request = new Request(`https://service.test${target}`, { method, headers, body });
    const operation = operationAt(document, method, new URL(request.url).pathname);
    const route = `${document.tags?.[0]?.name}.${operation?.operationId}`;
    const proven = await throughGateway(request, { route });
    const response = await worker.fetch(proven, sent.bindings ?? { DB: env.DB, ...KEYS });
    const text = await response.text();
    const answer: Answer = {
      status: response.status,
      headers: response.headers,
      body: text === "" ? undefined : JSON.parse(text),
    };
    const mediaType = response.headers.get("content-type") ?? "";
    if (operation !== undefined) checkBody(operation, answer, mediaType);
    if (answer.status >= 400 && method !== "HEAD") {
      expect(mediaType).toBe("application/problem+json");
      expect(Problem.strict().parse(answer.body)).toMatchObject({ status: answer.status });
    }
    expect(response.headers.get("cache-control")).toBe(answer.status >= 400 ? "no-store" : null);
    return answer;
  };

  /** The same, for an answer whose body the test knows. */
  const ask = async <T>(method: string, target: string, sent: Sent = {}): Promise<Answer<T>> =>
    (await send(method, target, sent)) as Answer<T>;

  return { send, ask };
};

/** Walks a list to its end: the items of each page. */
export const walk = async <T>(
  ask: <P>(method: string, target: string, sent?: Sent) => Promise<Answer<P>>,
  path: string,
  limit: number,
  sent: Sent = {},
  betweenPages: () => Promise<unknown> = async () => undefined,
): Promise<T[][]> => {
  const pages: T[][] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const target: string = `${path}?limit=${limit}${cursor === "" ? "" : `&cursor=${cursor}`}`;
    const { body } = await ask<{ items: T[]; nextCursor: string | null }>("GET", target, sent);
    pages.push(body.items);
    cursor = body.nextCursor;
    expect(pages.length).toBeLessThan(100);
    await betweenPages();
  }
  return pages;
};

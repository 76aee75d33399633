import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { Json } from "../../src/core/json.ts";

type JsonObject = { readonly [name: string]: Json };

/** An answer as a client got it. */
export interface Exchange {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  /** Undefined where it is not looked at. */
  readonly body: string | undefined;
}

interface Documented {
  readonly method: string;
  readonly path: string;
  readonly pattern: RegExp;
  /** JSON Pointer to its responses. */
  readonly pointer: string;
}

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/**
 * Holds answers against a public document: status, media type, body and fields have to be as it says. Collects which of the
 * documented answers came. What no operation takes (unknown paths, other methods, preflights) is not its concern.
 */
export class Recorder {
  readonly #document: JsonObject;
  readonly #operations: readonly Documented[];
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });
  readonly #validators = new Map<string, ValidateFunction>();
  readonly #produced = new Set<string>();

  constructor(document: JsonObject) {
    this.#document = document;
    (addFormats as unknown as (ajv: Ajv2020) => void)(this.#ajv);
    this.#ajv.addSchema(document as object, "public");
    this.#operations = Object.entries(document["paths"] as Record<string, JsonObject>)
      .flatMap(([path, item]) =>
        METHODS.filter((method) => item[method] !== undefined).map((method) => ({
          method: method.toUpperCase(),
          path,
          pattern: patternOf(path),
          pointer: pointer("paths", path, method, "responses"),
        })),
      )
      // What is written out wins over a parameter.
      .sort((one, other) => one.path.split("{").length - other.path.split("{").length);
  }

  /** Every documented answer, as `GET /users/{userId} 404`. */
  get documented(): readonly string[] {
    return this.#operations.flatMap(({ method, path, pointer: at }) =>
      Object.keys(this.#at(at).value as object).map((status) => `${method} ${path} ${status}`),
    );
  }

  /** Documented answers that did not come. */
  get missing(): readonly string[] {
    return this.documented.filter((answer) => !this.#produced.has(answer));
  }

  /** What is wrong with an answer; nothing where it is as documented. */
  check({ method, url, status, headers, body }: Exchange): readonly string[] {
    const path = new URL(url).pathname;
    const asked = method === "HEAD" ? "GET" : method;
    if (isNobodys(body)) return [];
    const operation = this.#operations.find((one) => one.method === asked && one.pattern.test(path));
    if (operation === undefined) return [];
    const name = `${operation.method} ${operation.path}`;
    const responses = this.#at(operation.pointer).value as JsonObject;
    const key = [String(status), `${String(status)[0]}XX`, "default"].find((one) => one in responses);
    if (key === undefined) return [`${name}: ${status} is not documented`];
    this.#produced.add(`${name} ${key}`);
    const { value, pointer: at } = this.#at(`${operation.pointer}${pointer(key)}`);
    return [
      ...this.#fields(value as JsonObject, headers),
      ...(method === "HEAD" ? [] : this.#body(value as JsonObject, at, headers, body)),
    ].map((fault) => `${name} ${status}: ${fault}`);
  }

  /** Records the answer to a request, and throws where it is not as documented. Answers it. */
  async expectDocumented(method: string, response: Response): Promise<Response> {
    const { status, headers, url } = response;
    const body = await response.clone().text();
    const faults = this.check({ method, url, status, headers, body });
    if (faults.length > 0) throw new Error(faults.join("\n"));
    return response;
  }

  #fields(response: JsonObject, headers: Headers): readonly string[] {
    return Object.entries((response["headers"] ?? {}) as JsonObject).flatMap(([name, written]) => {
      const { value, pointer: at } = this.#follow(written, "");
      const { required, schema } = value as JsonObject;
      const text = headers.get(name);
      if (text === null) return required === true ? [`the field ${name} is missing`] : [];
      const type = (schema as JsonObject | undefined)?.["type"];
      const read = type === "integer" || type === "number" ? Number(text) : text;
      return schema === undefined || at === ""
        ? []
        : this.#validate(`${at}/schema`, read, `the field ${name}`);
    });
  }

  #body(response: JsonObject, at: string, headers: Headers, body: string | undefined): readonly string[] {
    const content = response["content"] as JsonObject | undefined;
    if (content === undefined) return (body ?? "") === "" ? [] : ["a body is not documented"];
    const type = headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
    const key = [type ?? "", `${type?.split("/")[0]}/*`, "*/*"].find((one) => one in content);
    if (key === undefined) return [`the type ${type} is not documented`];
    const media = content[key] as JsonObject;
    if (body === undefined || media["schema"] === undefined || !/[/+]json$/.test(key)) return [];
    let value: unknown;
    try {
      value = JSON.parse(body);
    } catch {
      return ["the body is no JSON"];
    }
    return this.#validate(`${at}/content${pointer(key)}/schema`, value, "the body");
  }

  #validate(at: string, value: unknown, what: string): readonly string[] {
    const known = this.#validators.get(at);
    const validate = known ?? this.#ajv.compile({ $ref: `public#${encodeURI(at)}` });
    this.#validators.set(at, validate);
    if (validate(value)) return [];
    return [
      `${what} is not as documented: ${this.#ajv.errorsText(validate.errors)} in ${JSON.stringify(value)}`,
    ];
  }

  /** What stands at a pointer, and where it really stands, references followed. */
  #at(text: string): { readonly value: Json | undefined; readonly pointer: string } {
    let found: { value: Json | undefined; pointer: string } = { value: this.#document, pointer: "" };
    for (const step of text.split("/").slice(1)) {
      const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
      found = this.#follow((found.value as JsonObject | undefined)?.[name], `${found.pointer}/${step}`);
    }
    return found;
  }

  #follow(value: Json | undefined, at: string): { value: Json | undefined; pointer: string } {
    const reference = (value as { readonly $ref?: string } | undefined)?.$ref;
    return typeof reference === "string" ? this.#at(reference.slice(1)) : { value, pointer: at };
  }
}

/**
 * Whether no route took the request: there may be one on another host, or under other conditions. Nor is a fault documented that
 * a development machine was told to inject.
 */
const isNobodys = (body: string | undefined): boolean =>
  body !== undefined && /"code":"(?:no-route|method-not-allowed|fault-injected)"/.test(body);

const pointer = (...steps: readonly string[]): string =>
  steps.map((step) => `/${step.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");

const patternOf = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll(/[.*+?^$()|[\]\\]/g, "\\$&").replaceAll(/\{[^}]*\}/g, "[^/]+")}$`);

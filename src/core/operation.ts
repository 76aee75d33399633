import type { Place } from "./diagnostic.ts";
import type { Json } from "./json.ts";

type JsonObject = { readonly [name: string]: Json };

/**
 * An OpenAPI document in one piece: what it takes from other files stands in its components, so that every `$ref` points into
 * the document itself. References are kept where they are, for schemas may be recursive.
 */
export interface BundledDocument {
  /** The file's name, as the api gives it. */
  readonly name: string;
  /** Which JSON Schema its schemas are: the dialect of OpenAPI 3.0, or draft 2020-12. */
  readonly dialect: "3.0" | "3.1";
  readonly json: JsonObject;
  /** Where the value behind a JSON Pointer (RFC 6901, without `#`) was written; the nearest that is known, at worst the file. */
  placeOf(pointer: string): Place;
  /** Follows a value's `$ref`, and that of what it finds; a value without one is answered as it is. */
  resolve(value: Json | undefined): Json | undefined;
}

/** An operation of an OpenAPI document with what it inherits of its path and its document filled in. */
export interface OperationInfo {
  readonly id: string;
  readonly method: string;
  /** The path template as the document writes it, without the api's prefix. */
  readonly path: string;
  readonly document: BundledDocument;
  /** JSON Pointer to the operation in the document. */
  readonly pointer: string;
  /** The operation as it is written. */
  readonly json: JsonObject;
  /** Those of the path and of the operation, which wins by location and name. */
  readonly parameters: readonly ParameterInfo[];
  /** Undefined where it takes none. */
  readonly body: BodyInfo | undefined;
  /** By status, as written: `200`, `2XX`, `default`. */
  readonly responses: Readonly<Record<string, ResponseInfo>>;
  /** Alternatives, each with what it asks for: scheme → scopes. Undefined where neither operation nor document says. */
  readonly security: readonly Readonly<Record<string, readonly string[]>>[] | undefined;
  readonly deprecated: boolean;
}

export interface ParameterInfo {
  readonly name: string;
  readonly in: "path" | "query" | "header" | "cookie";
  readonly required: boolean;
  readonly deprecated: boolean;
  /** With the default of its location filled in (OpenAPI 3.1 section 4.8.12). */
  readonly style: "simple" | "label" | "matrix" | "form" | "spaceDelimited" | "pipeDelimited" | "deepObject";
  readonly explode: boolean;
  readonly allowReserved: boolean;
  /** JSON Pointer to its schema in the document; undefined where it has none. */
  readonly schema: string | undefined;
  /** Where it has a media type instead of a style: that media type. */
  readonly contentType: string | undefined;
  /** JSON Pointer to the parameter, behind its references. */
  readonly pointer: string;
  readonly json: JsonObject;
}

export interface BodyInfo {
  readonly required: boolean;
  /** By media type or range of such, as written. */
  readonly content: Readonly<Record<string, MediaInfo>>;
  readonly pointer: string;
}

export interface MediaInfo {
  /** JSON Pointer to the schema in the document. */
  readonly schema: string | undefined;
  /** Of form fields: content type, style and the like by property (OpenAPI 3.1 section 4.8.15). */
  readonly encoding: Json | undefined;
  readonly pointer: string;
  readonly json: JsonObject;
}

export interface ResponseInfo {
  readonly description: string;
  readonly content: Readonly<Record<string, MediaInfo>>;
  /** JSON Pointers to header objects by field name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly pointer: string;
  readonly json: JsonObject;
}

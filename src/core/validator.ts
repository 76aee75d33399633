import type { BundledDocument } from "./operation.ts";

/** What a generated validator says is wrong with a value. */
export interface SchemaFault {
  /** JSON Pointer (RFC 6901) to the value that is at fault. */
  readonly instancePath: string;
  /** The keyword of JSON Schema that it does not fit. */
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/**
 * Tells whether a value fits a schema; where it does not, `errors` holds why until the next call. Throws a RangeError for a
 * value that is nested more deeply than the stack is.
 */
export interface Validator {
  (value: unknown): boolean;
  readonly errors?: readonly SchemaFault[] | null;
}

/** A schema of an OpenAPI document for which code is to be generated, and how it is meant there. */
export interface ValidatorSpec {
  readonly document: BundledDocument;
  /** JSON Pointer to the schema in the document. */
  readonly pointer: string;
  /** Requests need nothing that is readOnly, answers nothing that is writeOnly. */
  readonly direction: "request" | "response";
  /** What there is of the other direction is at fault, instead of being passed over. */
  readonly refuseOtherDirection: boolean;
  /** Objects that list their properties and say nothing of others have no others. */
  readonly closed: boolean;
  readonly formats: boolean;
}

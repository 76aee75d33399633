import type { HeaderEdit } from "./header-edits.ts";

/** Answers GET and HEAD with files that lie beside the bundle, made together with it. */
export interface AssetPlan {
  readonly kind: "asset";
  /** Which of the files for callers they are. */
  readonly content: AssetContent;
  /** Files by the path of the request; none before they are made. */
  readonly files: Readonly<Record<string, AssetFile>>;
  readonly cacheControl: string;
  /** Edits to every answer, after those of all policies. */
  readonly edits?: readonly HeaderEdit[];
}

/** The page itself, what it is made of, or the description of the API. */
export type AssetContent = "page" | "parts" | "description";

export interface AssetFile {
  readonly type: string;
  readonly plain: AssetForm;
  /** The same, compressed by gzip; absent where that saves little. */
  readonly gzip?: AssetForm;
}

/** One representation of a file, which has an entity tag of its own (RFC 9110 section 8.8.3). */
export interface AssetForm {
  /** Name of the file in its folder. */
  readonly name: string;
  /** The whole tag, with its quotes. */
  readonly etag: string;
}

/** The page and the description that a gateway publishes. */
export interface DocsPlan {
  readonly path: string;
  /** Path of the description, without its ending. */
  readonly openapi: string;
  readonly title?: string;
}

/** The binding through which a bundle reaches its files, and their folder beside it. */
export const ASSETS = { binding: "ASSETS", folder: "public" } as const;

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { stringify } from "yaml";
import { planHash } from "../../compiler/compile.ts";
import {
  ASSETS,
  type AssetContent,
  type AssetFile,
  type AssetForm,
  type DocsPlan,
} from "../../core/asset-plan.ts";
import type { Json } from "../../core/json.ts";
import type { Plan } from "../../core/plan.ts";

const PAGE = fileURLToPath(new URL("../../docs/", import.meta.url));
const RENDERER = path.dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));

/** What the page is made of beside itself. */
const PARTS: readonly (readonly [name: string, file: string])[] = [
  ["renderer.js", path.join(RENDERER, "swagger-ui-bundle.js")],
  ["renderer.css", path.join(RENDERER, "swagger-ui.css")],
  ["renderer-license.txt", path.join(RENDERER, "LICENSE")],
  ["page.css", path.join(PAGE, "page.css")],
  ["icon.svg", path.join(PAGE, "icon.svg")],
];

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  // RFC 9512.
  ".yaml": "application/yaml",
};

/** Files that were made, by their names in the folder, and what the plan says of them, by the path of the request. */
interface Made {
  readonly bytes: Map<string, Uint8Array>;
  readonly files: Record<AssetContent, Record<string, AssetFile>>;
}

/**
 * Makes the page and the description of a plan that publishes them, and writes them into the folder `public` below the
 * bundle's. Answers the plan with the files in it. Names hold a hash of what is in the file, so that no copy of an earlier
 * one is ever taken for it.
 */
export const writeDocs = async (plan: Plan, description: Json, folder: string): Promise<Plan> => {
  const { docs } = plan.gateway;
  if (docs === undefined) return plan;
  const { bytes, files } = await makeDocs(docs, description);
  const own = path.join(folder, ASSETS.folder);
  await mkdir(own, { recursive: true });
  // What else is in the folder is somebody else's.
  for (const name of await readdir(own)) if (name.endsWith(STORED)) await rm(path.join(own, name));
  for (const [name, content] of bytes) await writeFile(path.join(own, name), content);
  const { version, hash: _, ...body } = plan;
  const routes = body.routes.map((route) =>
    route.action.kind === "asset"
      ? { ...route, action: { ...route.action, files: files[route.action.content] } }
      : route,
  );
  const whole = { ...body, routes };
  return { version, hash: planHash(whole), ...whole };
};

const makeDocs = async (docs: DocsPlan, description: Json): Promise<Made> => {
  const made: Made = { bytes: new Map(), files: { page: {}, parts: {}, description: {} } };
  const paths: Record<string, string> = {};
  const read = PARTS.map(async ([name, file]) => [name, await readFile(file)] as const);
  for (const [name, content] of [...(await Promise.all(read)), ["page.js", await pageScript()] as const]) {
    const { name: base, ext } = path.parse(name);
    const at = `${docs.path}/${base}.${digest(content)}${ext}`;
    paths[name] = at;
    made.files.parts[at] = add(name, content, made);
  }
  const page = pageText(docs, titleOf(docs, description), paths);
  made.files.page[docs.path] = add("page.html", Buffer.from(page), made);
  for (const [ending, text] of [
    ["json", JSON.stringify(description)],
    // Written out in full: not every reader of YAML knows aliases, and none breaks long lines alike.
    ["yaml", stringify(description, { aliasDuplicateObjects: false, lineWidth: 0 })],
  ] as const)
    made.files.description[`${docs.openapi}.${ending}`] = add(`openapi.${ending}`, Buffer.from(text), made);
  return made;
};

const pageScript = async (): Promise<Uint8Array> => {
  const entry = path.join(PAGE, "page.js");
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, write: false, minify: true });
  return outputFiles[0]!.contents;
};

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex").slice(0, 16);

/** Below this, what gzip saves is not worth a second form. */
const LEAST_TO_ZIP = 1024;

/**
 * The ending of what is stored. None of the web: what serves files would have ideas of its own about .html; and none that
 * wrangler knows: it would take them into the Worker as modules.
 */
const STORED = ".asset";

const add = (name: string, content: Uint8Array, { bytes }: Made): AssetFile => {
  const { name: base, ext } = path.parse(name);
  const hash = digest(content);
  const form = (mark: string, body: Uint8Array): AssetForm => {
    const stored = `${base}${ext}.${hash}${mark}${STORED}`;
    bytes.set(stored, body);
    return { name: stored, etag: `"${hash}${mark}"` };
  };
  const plain = form("", content);
  const type = TYPES[ext]!;
  if (content.byteLength < LEAST_TO_ZIP) return { type, plain };
  return { type, plain, gzip: form(".gz", gzipSync(content, { level: 9 })) };
};

const titleOf = ({ title }: DocsPlan, description: Json): string => {
  const info = (description as { info?: { title?: unknown } } | null)?.info?.title;
  return title ?? (typeof info === "string" ? info : "API");
};

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

const pageText = (docs: DocsPlan, title: string, paths: Readonly<Record<string, string>>): string =>
  `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<link rel="icon" type="image/svg+xml" href="${paths["icon.svg"]}">
<link rel="stylesheet" href="${paths["renderer.css"]}">
<link rel="stylesheet" href="${paths["page.css"]}">
<link rel="preload" as="fetch" crossorigin href="${docs.openapi}.json">
<script defer src="${paths["renderer.js"]}"></script>
<script defer src="${paths["page.js"]}"></script>
</head>
<body data-description="${docs.openapi}.json">
<a id="skip" href="#operations">Skip to the operations</a>
<div id="api" aria-busy="true"><p>The description is being loaded.</p></div>
<noscript><p>This page needs JavaScript. The description itself does not: <a href="${docs.openapi}.json">as JSON</a>, <a href="${docs.openapi}.yaml">as YAML</a>.</p></noscript>
</body>
</html>
`;

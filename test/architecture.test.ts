import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

const SOURCE = path.resolve(import.meta.dirname, "../src");

/** Every module below `src` with what it imports: paths below `src`, or names of packages. */
const modules = readdirSync(SOURCE, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))
  .map((file) => {
    const text = readFileSync(path.join(SOURCE, file), "utf8");
    const imports = [
      ...text.matchAll(
        /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"|\bimport\("([^"]+)"\)/g,
      ),
    ];
    return {
      file: file.split(path.sep).join("/"),
      text,
      imports: imports.map(([, type, from, lazy]) => {
        const name = from ?? lazy!;
        const target = name.startsWith(".")
          ? path
              .relative(SOURCE, path.resolve(SOURCE, path.dirname(file), name))
              .split(path.sep)
              .join("/")
          : name;
        return {
          target,
          local: name.startsWith("."),
          typeOnly: type !== undefined,
          lazy: lazy !== undefined,
        };
      }),
    };
  });

/** A layer: which files it has, and what these may import; `own` stands for the file's own folder. */
interface Layer {
  readonly name: string;
  readonly files: RegExp;
  /** Only files that a filter loads, or only those that none does. */
  readonly runSide?: boolean;
  readonly may: readonly RegExp[];
  /** Also these, but only as types. */
  readonly types?: readonly RegExp[];
  readonly own?: boolean;
}

const LAYERS: readonly Layer[] = [
  { name: "lib", files: /^lib\//, may: [/^lib\//] },
  { name: "core", files: /^core\//, may: [/^core\//, /^lib\//], types: [/^zod$/] },
  {
    name: "policies, the compile side",
    files: /^policies\/[^/]+\//,
    runSide: false,
    may: [/^core\//, /^lib\//, /^zod$/, /^policies\/(shapes|network|consumers)\.ts$/],
    own: true,
  },
  {
    name: "policies, the run side",
    files: /^policies\/[^/]+\//,
    runSide: true,
    may: [/^core\//, /^lib\//],
    own: true,
  },
  {
    name: "policies, shapes and network",
    files: /^policies\/(shapes|network)\.ts$/,
    may: [/^lib\//, /^zod$/, /^ipaddr\.js$/, /^policies\/shapes\.ts$/],
  },
  {
    name: "policies, what those share that take consumers' keys",
    files: /^policies\/consumers\.ts$/,
    may: [/^core\//, /^lib\//, /^zod$/, /^policies\/shapes\.ts$/],
  },
  {
    name: "policies, the list",
    files: /^policies\/index\.ts$/,
    may: [/^core\//, /^policies\/[^/]+\/policy\.ts$/],
  },
  { name: "balancers", files: /^balancers\/(?!index\.ts$)/, may: [/^core\//, /^lib\//], own: true },
  {
    name: "balancers, the map",
    files: /^balancers\/index\.ts$/,
    may: [/^core\//, /^balancers\//, /^zod$/, /^policies\/shapes\.ts$/],
  },
  {
    name: "config",
    files: /^config\//,
    may: [
      /^core\//,
      /^lib\//,
      /^config\//,
      /^policies\/(index|shapes|network)\.ts$/,
      /^policies\/jwt\/issuer\.ts$/,
      /^policies\/headers\/reserved\.ts$/,
      /^balancers\/index\.ts$/,
      /^(zod|yaml|fastest-levenshtein)$/,
    ],
  },
  {
    name: "compiler",
    files: /^compiler\//,
    may: [
      /^core\//,
      /^lib\//,
      /^config\//,
      /^compiler\//,
      /^policies\/(index|network)\.ts$/,
      /^policies\/jwt\/issuer\.ts$/,
      /^balancers\/index\.ts$/,
      /^@marcbachmann\/cel-js$/,
      /^node:crypto$/,
      /^fastest-levenshtein$/,
    ],
  },
  { name: "runtime", files: /^runtime\//, may: [/^core\//, /^lib\//, /^runtime\//] },
  { name: "control", files: /^control\//, may: [/^core\//, /^control\//, /^hono(\/|$)/] },
  { name: "adapters", files: /^adapters\//, may: [/^core\//, /^lib\//, /^adapters\//, /^cloudflare:/] },
  {
    name: "services",
    files: /^services\//,
    may: [
      /^services\//,
      /^(hono|@hono\/zod-openapi|jose|zod|yaml)(\/|$)/,
      /^node:/,
      /^@cloudflare\/workers-types$/,
    ],
  },
];

/** What single places may import beyond their layer, each with its reason. */
const EXCEPTIONS: readonly [file: RegExp, target: RegExp, why: string][] = [
  [
    /^lib\/regex\/parse\.ts$/,
    /^@eslint-community\/regexpp$/,
    "reads regular expressions, on the compile side only",
  ],
  [/^policies\/jwt\//, /^jose(\/|$)/, "signatures are verified by jose"],
  [/^adapters\/upstash\//, /^@upstash\/redis\/cloudflare$/, "commands of Redis are the SDK's"],
  [
    /^adapters\/node\//,
    /^(node:|esbuild$|miniflare$|workerd$|smol-toml$|config\/|compiler\/|balancers\/index)/,
    "the development side of the product: files, bundles, processes",
  ],
];

/** What the filters of all policies load, types aside: this is what can come into the Worker's bundle. */
const loaded = new Set<string>();
const load = (file: string): void => {
  if (loaded.has(file)) return;
  loaded.add(file);
  for (const { target, local, typeOnly } of modules.find((module) => module.file === file)?.imports ?? [])
    if (local && !typeOnly) load(target);
};
for (const { file } of modules) if (/^policies\/[^/]+\/filter\.ts$/.test(file)) load(file);

const layerOf = (file: string): Layer | undefined =>
  LAYERS.find(
    ({ files, runSide }) => files.test(file) && (runSide === undefined || runSide === loaded.has(file)),
  );

describe("the layers", () => {
  it.each(modules.map(({ file }) => file).filter((file) => !/^(worker|cli)\.ts$|^cli\//.test(file)))(
    "%s imports only what its layer may",
    (file) => {
      const module = modules.find((candidate) => candidate.file === file)!;
      const layer = layerOf(file);
      expect(layer, "every file belongs to a layer").toBeDefined();
      const own = `${path.posix.dirname(file)}/`;
      const wrong = module.imports.filter(({ target, typeOnly, lazy }) => {
        if (layer!.may.some((pattern) => pattern.test(target))) return false;
        if (layer!.own && target.startsWith(own)) return false;
        if ((typeOnly || lazy) && layer!.types?.some((pattern) => pattern.test(target))) return false;
        return !EXCEPTIONS.some(([from, to]) => from.test(file) && to.test(target));
      });
      expect(wrong.map(({ target }) => target)).toEqual([]);
    },
  );

  it("a policy's folder imports no other policy's", () => {
    const crossing = modules.flatMap(({ file, imports }) => {
      const folder = /^policies\/([^/]+)\//.exec(file)?.[1];
      return folder === undefined
        ? []
        : imports
            .filter(
              ({ target }) => /^policies\/[^/]+\//.test(target) && !target.startsWith(`policies/${folder}/`),
            )
            .map(({ target }) => `${file} → ${target}`);
    });
    expect(crossing).toEqual([]);
  });

  it("the world is reached through ports only", () => {
    const globals =
      /\bDate\.now\(|\bMath\.random\(|\bcaches\.|\bconsole\.|(?<![.\w])fetch\(|\bperformance\.now\(/;
    const reaching = modules.filter(
      ({ file, text }) =>
        /^(core|lib|config|compiler|policies|balancers|runtime|control)\//.test(file) &&
        globals.test(text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, "").replaceAll(/^\s*fetch\(.*$/gm, "")),
    );
    expect(reaching.map(({ file }) => file)).toEqual([]);
  });
});

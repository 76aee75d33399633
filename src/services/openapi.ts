import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { renderDocument } from "./document.ts";
import { document as orders } from "./orders/app.ts";
import { document as users } from "./users/app.ts";

// Keeps the documents of the services, which the gateway reads, in step with their code:
//   node src/services/openapi.ts --write    writes openapi/users.yaml and openapi/orders.yaml
//   node src/services/openapi.ts --check    exits 1 where one of them is not what would be written

const documents = { "openapi/users.yaml": users, "openapi/orders.yaml": orders };

const sourceOf = (file: string): string => file.replace("openapi/", "src/services/").replace(".yaml", "");

/** What a file holds; nothing where there is none. */
const readText = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
};

/** The first line that differs, counted from 1. */
const firstDifference = (a: string, b: string): number => {
  const [linesOfA, linesOfB] = [a.split("\n"), b.split("\n")];
  const index = linesOfA.findIndex((line, at) => line !== linesOfB[at]);
  return (index === -1 ? linesOfA.length : index) + 1;
};

/** Runs the command; answers its exit code: 0 done, 1 drift, 2 wrong usage. */
const run = async (args: readonly string[]): Promise<number> => {
  const [mode] = args;
  if (args.length !== 1 || (mode !== "--write" && mode !== "--check")) {
    console.error("usage: node src/services/openapi.ts --write | --check");
    return 2;
  }
  let exitCode = 0;
  for (const [file, document] of Object.entries(documents)) {
    const path = fileURLToPath(new URL("../../" + file, import.meta.url));
    const wanted = renderDocument(document(), sourceOf(file));
    const found = await readText(path);
    if (mode === "--write") {
      if (found !== wanted) await writeFile(path, wanted);
      console.log(`${file}: ${found === wanted ? "unchanged" : "written"}`);
    } else if (found !== wanted) {
      exitCode = 1;
      const where = found === undefined ? "is missing" : `line ${firstDifference(found, wanted)} differs`;
      console.error(`${file}: ${where} from what ${sourceOf(file)} says.`);
      console.error("  Run: node src/services/openapi.ts --write");
    } else {
      console.log(`${file}: up to date`);
    }
  }
  return exitCode;
};

process.exitCode = await run(process.argv.slice(2));

import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Command } from "commander";
import { clientTypes } from "../adapters/node/client-types.ts";
import { withoutExamples } from "../contract/without-examples.ts";
import type { Json } from "../core/json.ts";
import { describing } from "./describing.ts";
import { CommandFailed } from "./failure.ts";
import { type WorkspaceOptions, withWorkspace } from "./options.ts";
import { planOf } from "./workspace.ts";

/** `postern client`: writes TypeScript types of the public API. */
export const registerClient = (program: Command): void => {
  const command = program
    .command("client")
    .description("write TypeScript types of what the gateway offers, for openapi-fetch and its like")
    .requiredOption("--out <file>", "file to write");
  withWorkspace(command).action(async (options: WorkspaceOptions & { out: string }) => {
    // Says what is wrong with the policies, where anything is.
    await planOf(options);
    const types = await typesOf(await describing(options)());
    await mkdir(path.dirname(options.out), { recursive: true });
    await writeFile(options.out, types);
    process.stdout.write(`${options.out} holds the types of the API\n`);
  });
};

const typesOf = async (document: Json): Promise<string> => {
  try {
    return await clientTypes(withoutExamples(document));
  } catch (error) {
    throw new CommandFailed(
      1,
      `No types can be made of the document: ${error instanceof Error ? error.message : String(error)}`,
      "Write it by `postern openapi`, and correct what it describes there.",
    );
  }
};

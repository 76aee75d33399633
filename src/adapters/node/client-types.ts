import { registerHooks } from "node:module";
import type { Json } from "../../core/json.ts";

/** TypeScript types of an OpenAPI 3.1 document: `paths` for openapi-fetch and its like, `components`, `operations`. */
export const clientTypes = async (document: Json): Promise<string> => {
  // The generator prints with TypeScript's own programming interface, which TypeScript 7 does not have.
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier === "typescript" ? "typescript-5" : specifier, context),
  });
  try {
    const { astToString, default: generate } = await import("openapi-typescript");
    const types = await generate(document as never, { alphabetize: true, silent: true });
    return `// Written by \`postern client\`: change the policies or the OpenAPI documents, not this file.\n${astToString(types)}`;
  } finally {
    hooks.deregister();
  }
};

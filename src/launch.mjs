#!/usr/bin/env node
// The command is TypeScript that Node runs as it is, from 22.18 on. An older Node hands over to the one that the project
// brings along, so that the command works wherever npm does.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { fileURLToPath } from "node:url";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major > 22 || (major === 22 && minor >= 18)) {
  module.enableCompileCache?.();
  await import("./cli.ts");
} else {
  const own = [
    new URL("../node_modules/node/bin/node", import.meta.url),
    new URL("../../node/bin/node", import.meta.url),
  ]
    .map((url) => fileURLToPath(url))
    .find((file) => existsSync(file));
  if (own === undefined) {
    process.stderr.write(
      "postern needs Node 22.18 or newer; run `npm install` first, which brings one along.\n",
    );
    process.exit(2);
  }
  const child = spawn(own, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => process.exit(code ?? (signal === null ? 1 : 143)));
}

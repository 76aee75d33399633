import type { Reporter, TestModule } from "vitest/node";

/** Ends a run with one plain line that counts what ran, for those who read no more than that. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state]++;
      // What failed outside of tests: while a file was loaded, or in a hook of a suite.
      for (const part of [module, ...module.children.allSuites()])
        if (part.errors().length > 0) count.failed++;
    }
    process.once("exit", () => process.stdout.write(`\n${count.passed} passed, ${count.failed} failed\n`));
  }
}

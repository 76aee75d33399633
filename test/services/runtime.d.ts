/// <reference types="@cloudflare/vitest-plugin/types" />

// What the runtime of these tests has beside the bindings of the wrangler.toml under test; see vitest.services.config.ts.
declare namespace Cloudflare {
  interface Env {
    readonly DB: import("@cloudflare/workers-types").D1Database;
    readonly TEST_MIGRATIONS: import("cloudflare:test").D1Migration[];
  }
}

declare module "*.yaml?raw" {
  const text: string;
  export default text;
}

/// <reference types="@cloudflare/vitest-plugin/types" />

// The binding of the Durable Objects under test; see vitest.config.ts.
declare namespace Cloudflare {
  interface Env {
    readonly POSTERN_HEALTH: import("@cloudflare/workers-types").DurableObjectNamespace<
      import("@cloudflare/workers-types").Rpc.DurableObjectBranded & {
        read(upstream: string): Promise<Readonly<Record<string, boolean>>>;
      }
    >;
  }
}

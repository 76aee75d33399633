import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** A service's tests run in the Workers runtime, with the configuration and the migrations that it ships with. */
const service = (name: string) => ({
  plugins: [
    cloudflareTest(async () => ({
      wrangler: { configPath: `./src/services/${name}/wrangler.toml` },
      miniflare: {
        bindings: { TEST_MIGRATIONS: await readD1Migrations(`./src/services/${name}/migrations`) },
      },
    })),
  ],
  test: { name: `services/${name}`, include: [`test/services/${name}/*.test.ts`], maxWorkers: 1 },
});

/** Durable Objects are tested in the Workers runtime, with the store and the alarms that it gives them. */
const objects = {
  plugins: [
    cloudflareTest({
      main: "./test/adapters/cloudflare/worker.ts",
      miniflare: {
        compatibilityDate: "2026-10-20",
        durableObjects: { POSTERN_HEALTH: { className: "HealthChecks", useSQLite: true } },
      },
    }),
  ],
  test: { name: "objects", include: ["test/adapters/cloudflare/*.test.ts"], maxWorkers: 1 },
};

/** The cache's cases in the Workers runtime, with the Cache API that it has there. */
const cache = {
  plugins: [cloudflareTest({ miniflare: { compatibilityDate: "2026-10-20" } })],
  test: { name: "cache", include: ["test/conformance/cache/workers/*.test.ts"], maxWorkers: 1 },
};

export default defineConfig({
  test: {
    reporters: ["default", "./test/support/closing-line.ts"],
    projects: [
      {
        test: {
          name: "unit",
          environment: "node",
          include: ["test/**/*.test.ts"],
          exclude: [
            "test/services/**",
            "test/e2e/**",
            "test/security/**",
            "test/adapters/cloudflare/**",
            "test/conformance/cache/workers/**",
          ],
          // Laws are held against thousands of cases, and the machine may be busy.
          testTimeout: 60_000,
        },
      },
      service("users"),
      service("orders"),
      objects,
      cache,
      // The product as it is used: the command, the production bundle on plain workerd, real sockets.
      {
        test: {
          name: "e2e",
          environment: "node",
          include: ["test/e2e/**/*.test.ts", "test/security/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
          sequence: { concurrent: false },
        },
      },
    ],
  },
});

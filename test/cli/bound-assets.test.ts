import { describe, expect, it } from "vitest";
import { compareAssets } from "../../src/cli/bound-assets.ts";
import { CommandFailed } from "../../src/cli/failure.ts";
import type { Plan } from "../../src/core/plan.ts";

const gateway = (docs: boolean): Pick<Plan, "gateway"> => ({
  gateway: {
    name: "shop",
    development: false,
    paths: { encodedSlash: "reject", matrixParameters: "reject" },
    ...(docs && { docs: { path: "/docs", openapi: "/openapi" } }),
  },
});

const config = (assets?: object) =>
  ({ file: "wrangler.toml", main: "dist/worker.js", ...(assets && { assets }) }) as Parameters<
    typeof compareAssets
  >[1];

const ours = { directory: "dist/public", binding: "ASSETS", isWorkerFirst: true };

describe("the files of wrangler.toml", () => {
  it.each([
    ["none, where nothing is published", gateway(false), config()],
    ["others, where nothing is published", gateway(false), config({ ...ours, binding: "SITE" })],
    ["ours", gateway(true), config(ours)],
    ["ours, with a dot in front", gateway(true), config({ ...ours, directory: "./dist/public" })],
  ])("fit: %s", (_, plan, it) => {
    expect(() => compareAssets(plan, it)).not.toThrow();
  });

  it.each([
    ["none are bound", undefined, /binds no files as ASSETS/],
    ["they are bound under another name", { ...ours, binding: "SITE" }, /binds no files as ASSETS/],
    ["they are those of another folder", { ...ours, directory: "public" }, /another folder, "public"/],
    ["they go past the Worker", { ...ours, isWorkerFirst: false }, /without the Worker/],
  ])("do not fit where the gateway publishes its documentation and %s", (_, assets, words) => {
    const compare = () => compareAssets(gateway(true), config(assets));
    expect(compare).toThrow(CommandFailed);
    expect(compare).toThrow(words);
  });
});

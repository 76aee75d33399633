import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { certificateNetwork } from "../../src/adapters/node/client-certificates.ts";
import { readWranglerConfig, type WranglerConfig } from "../../src/adapters/node/wrangler-config.ts";
import {
  devVars,
  namesToMake,
  planCertificates,
  planSecrets,
  randomSecret,
} from "../../src/cli/serving-secrets.ts";
import type { Plan } from "../../src/core/plan.ts";
import type { CredentialPlan, TargetPlan } from "../../src/core/upstream-plan.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "postern-test-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const planWith = (
  credential: CredentialPlan | undefined,
  { development = true, targets = [] as readonly TargetPlan[], secrets = ["KEY"] } = {},
): Plan =>
  ({
    gateway: { development },
    secrets,
    upstreams: { orders: { targets, ...(credential && { credential }) } },
  }) as unknown as Plan;

const requiring = (...secrets: string[]): WranglerConfig => ({ secrets }) as unknown as WranglerConfig;

const HEADER: CredentialPlan = { kind: "header", secret: "KEY", header: "x-key" };
const SIGNATURE = { kind: "signature", secret: "KEY", headers: [], lifetimeSeconds: 30 } as const;
const JWT = {
  kind: "jwt",
  secret: "KEY",
  header: "x",
  issuer: "a",
  audience: "b",
  lifetimeSeconds: 60,
} as const;

describe("a secret is made for a run", () => {
  it.each<[string, CredentialPlan]>([
    ["a secret in a header", HEADER],
    ["a token by HMAC", { ...JWT, algorithm: "HS256" }],
    ["a signature by HMAC", { ...SIGNATURE, algorithm: "hmac-sha256" }],
  ])("for %s", (_, credential) => {
    expect(namesToMake(planWith(credential), [requiring("OTHER"), requiring("KEY")])).toEqual(["KEY"]);
  });

  it.each<[string, Plan, readonly WranglerConfig[]]>([
    ["outside of development", planWith(HEADER, { development: false }), [requiring("KEY")]],
    ["for a service that runs elsewhere", planWith(HEADER), []],
    ["for a service that does not ask for it", planWith(HEADER), [requiring("OTHER")]],
    ["that signs by a pair of keys", planWith({ ...JWT, algorithm: "ES256" }), [requiring("KEY")]],
    ["that signs requests by one", planWith({ ...SIGNATURE, algorithm: "ed25519" }), [requiring("KEY")]],
    ["that is no credential", planWith(undefined), [requiring("KEY")]],
  ])("but none %s", (_, plan, services) => {
    expect(namesToMake(plan, services)).toEqual([]);
  });

  it("is another each time, and long enough for any use", () => {
    expect(randomSecret()).not.toBe(randomSecret());
    expect(randomSecret()).toMatch(/^[\w-]{43}$/);
  });
});

describe("the secrets of a plan", () => {
  it("are those that it names, and no other", () => {
    expect(planSecrets(planWith(HEADER), { KEY: "a", OTHER: "b" })).toEqual({ KEY: "a" });
  });

  it.each([
    [["KEY"], "A secret is not set: KEY."],
    [["A", "KEY", "B"], "Secrets are not set: A, B."],
  ])("are missed by name: %j", (secrets, message) => {
    const known: Record<string, string> = secrets.length > 1 ? { KEY: "a" } : {};
    expect(() => planSecrets(planWith(HEADER, { secrets }), known)).toThrow(message);
  });

  it("may stand in .dev.vars", async () => {
    await writeFile(path.join(folder, ".dev.vars"), 'A=1\n# B=2\nC="three words here"\n');
    expect(await devVars(folder)).toEqual({ A: "1", C: "three words here" });
    expect(await devVars(path.join(folder, "nowhere"))).toEqual({});
  });
});

describe("wrangler.toml", () => {
  it("says which secrets a Worker requires, in each environment by itself", async () => {
    const file = path.join(folder, "wrangler.toml");
    await writeFile(
      file,
      'name = "a"\n[secrets]\nrequired = ["A", "B"]\n[env.production]\nsecrets = { required = ["C"] }\n[env.preview]\n',
    );
    const of = async (environment?: string) => (await readWranglerConfig(file, environment)).secrets;
    expect([await of(), await of("production"), await of("preview")]).toEqual([["A", "B"], ["C"], []]);
  });
});

describe("a client certificate", () => {
  const certificate = (text: string): string =>
    `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----`;
  const key = (kind: string): string => `-----BEGIN ${kind}-----\nKEY\n-----END ${kind}-----`;
  const target = (over: Partial<TargetPlan>): TargetPlan =>
    ({
      name: "a",
      weight: 1,
      origin: "https://a.example.com",
      basePath: "",
      certificate: "CERT",
      ...over,
    }) as TargetPlan;

  it.each(["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"])(
    "is read with its chain and its %s, in any order",
    async (kind) => {
      const file = path.join(folder, "gateway.pem");
      const plan = planWith(undefined, { targets: [target({}), target({ name: "b" })] });
      const expected = {
        CERT: { chain: `${certificate("A")}\n${certificate("B")}\n`, key: `${key(kind)}\n` },
      };
      for (const parts of [
        ["words of openssl", certificate("A"), certificate("B"), key(kind)],
        [key(kind), certificate("A"), certificate("B"), ""],
      ]) {
        await writeFile(file, parts.join("\n"));
        expect(await planCertificates(plan, { CERT: file, OTHER: "nowhere" })).toEqual(expected);
      }
    },
  );

  it("is asked for where the plan shows one, and nowhere else", async () => {
    const plan = planWith(undefined, { targets: [target({})] });
    await expect(planCertificates(plan, {})).rejects.toThrow("behind the binding CERT");
    expect(await planCertificates(planWith(HEADER), {})).toEqual({});
  });

  it("is none without its key", async () => {
    const file = path.join(folder, "gateway.pem");
    await writeFile(file, certificate("A"));
    const plan = planWith(undefined, { targets: [target({})] });
    await expect(planCertificates(plan, { CERT: file })).rejects.toThrow(
      "does not hold a certificate and its private key",
    );
  });

  it("leads to private addresses only where a target that shows it may", () => {
    const network = (targets: readonly TargetPlan[]): string =>
      certificateNetwork(planWith(undefined, { targets }), "CERT", { chain: "C", key: "K" }, "");
    expect(network([target({}), target({ certificate: "OTHER", network: "private" })])).toContain(
      'allow = ["public"]',
    );
    expect(network([target({}), target({ network: "private" })])).toContain('allow = ["public", "private"]');
  });
});

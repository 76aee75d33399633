import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { Command, CommanderError } from "commander";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { localIssuerKey } from "../../src/cli/local-issuer.ts";
import { registerToken } from "../../src/cli/token.ts";
import type { IssuerPlan } from "../../src/policies/jwt/issuer-plan.ts";
import { codeOf, issuerWith, judge, linkJwt, remoteIssuer } from "../policies/jwt-support.ts";
import { fakePorts, fakeSite } from "../support/ports.ts";

const SECRET = "a secret of at least thirty-two bytes";

const local = issuerWith([], { jwks: { local: true }, algorithms: ["RS256", "ES256"] });
const jobs = issuerWith([], {
  name: "jobs",
  issuer: "shop-jobs",
  audiences: ["shop-api"],
  algorithms: ["HS256"],
  jwks: undefined,
  secret: "JOBS_SECRET",
});
const remote = remoteIssuer({ name: "remote" });

let project: string;
let printed: string;
beforeEach(async () => {
  project = await mkdtemp(path.join(os.tmpdir(), "postern-token-"));
  vi.spyOn(process, "cwd").mockReturnValue(project);
  printed = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await rm(project, { recursive: true });
});

/** Runs `postern token` with arguments over issuers; answers what it printed. */
const token = async (args: string, issuers: readonly IssuerPlan[] = [local]): Promise<string> => {
  const program = new Command("postern").exitOverride().configureOutput({ writeErr: () => {} });
  const loaded: unknown[] = [];
  registerToken(program, async (options) => {
    loaded.push(options);
    return Object.fromEntries(issuers.map((issuer) => [issuer.name, issuer]));
  });
  for (const command of program.commands) command.exitOverride();
  await program.parseAsync(["token", ...args.split(" ").filter(Boolean)], { from: "user" });
  return printed.trim();
};

/** What the gateway says of a token when it runs with the local issuer's public keys. */
const gatewaySays = async (plan: IssuerPlan, jwt: string): Promise<string> => {
  const { publicJwks } = await localIssuerKey(project);
  const ports = fakePorts({
    clock: { now: () => Date.now() } as never,
    secretValues: { POSTERN_LOCAL_JWKS: JSON.stringify(publicJwks), JOBS_SECRET: SECRET },
  });
  const site = fakeSite({ [plan.name]: plan }, { development: true });
  return codeOf(await judge(linkJwt([plan], {}, ports, site), jwt));
};

describe("postern token", () => {
  it("prints a token and nothing else, and the gateway accepts it", async () => {
    const jwt = await token("");
    expect(printed).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect(decodeProtectedHeader(jwt)).toMatchObject({ alg: "ES256", typ: "JWT" });
    expect(decodeJwt(jwt)).toMatchObject({
      iss: "https://login.example.com/",
      sub: "developer",
      aud: ["shop-api", "staff-api"],
    });
    expect(await gatewaySays(local, jwt)).toBe("passed");
  });
  it("says what it is told to say", async () => {
    const args =
      "--sub 42 --aud shop-api --scope users.read --scope users.write --expires 10m " +
      "--claim tenant=acme --claim level=3 --claim roles=admin --claim roles=staff --claim beta=true";
    const claims = decodeJwt(await token(args));
    expect(claims).toMatchObject({
      sub: "42",
      aud: ["shop-api"],
      scope: "users.read users.write",
      tenant: "acme",
      level: 3,
      roles: ["admin", "staff"],
      beta: true,
    });
    expect(claims.exp! - claims.iat!).toBe(600);
  });
  it("has the type that the issuer's tokens must have", async () => {
    const jwt = await token("", [{ ...local, type: "at+jwt" }]);
    expect(await gatewaySays({ ...local, type: "at+jwt" }, jwt)).toBe("passed");
  });
  it.each(["RS256", "RS512", "PS256", "PS384", "ES384", "ES512", "EdDSA"] as const)(
    "signs with %s for an issuer without ES256",
    async (algorithm) => {
      const plan = { ...local, algorithms: [algorithm] };
      const jwt = await token("", [plan]);
      expect(decodeProtectedHeader(jwt).alg).toBe(algorithm);
      expect(await gatewaySays(plan, jwt)).toBe("passed");
    },
  );
  it("signs with a secret from the command line, or from the environment", async () => {
    const args = ["--issuer", "jobs", "--var", `JOBS_SECRET=${SECRET.replaceAll(" ", "_")}`].join(" ");
    expect(decodeProtectedHeader(await token(args, [local, jobs])).alg).toBe("HS256");
    printed = "";
    vi.stubEnv("JOBS_SECRET", SECRET);
    expect(await gatewaySays(jobs, await token("--issuer jobs", [local, jobs]))).toBe("passed");
  });
  it("prints JSON for machines", async () => {
    const answer = JSON.parse(await token("--format json --expires 1h"));
    expect(answer).toMatchObject({ issuer: "main" });
    expect(Date.parse(answer.expires)).toBeGreaterThan(Date.now());
    expect(await gatewaySays(local, answer.token)).toBe("passed");
  });
  it("takes the issuer whose keys are local when none is named", async () => {
    expect(decodeJwt(await token("", [remote, jobs, local])).iss).toBe(local.issuer);
  });
  it.each<[string, string, IssuerPlan[], string]>([
    ["there is no issuer", "", [], "no issuer"],
    ["the name is unknown", "--issuer man", [local], 'no issuer "man"'],
    ["its keys are elsewhere", "--issuer remote", [remote, local], "keys are elsewhere"],
    ["all keys are elsewhere", "", [remote], "keys of all of them are elsewhere"],
    ["its secret is not set", "--issuer jobs", [jobs], "JOBS_SECRET is not set"],
    ["its secret is short", "--issuer jobs --var JOBS_SECRET=short", [jobs], "too short"],
    [
      "it may not live that long",
      "--expires 2h",
      [{ ...local, maxLifetimeMs: 3_600_000 }],
      "3600 seconds at most",
    ],
  ])("fails with 2 when %s", async (_, args, issuers, message) => {
    await expect(token(args, issuers)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining(message),
      remedy: expect.stringMatching(/\.$/),
    });
    expect(printed).toBe("");
  });
  it.each(["--expires 10", "--expires 5ms", "--claim tenant", "--format yaml", "--nothing"])(
    "does not take %s",
    async (args) => {
      await expect(token(args)).rejects.toBeInstanceOf(CommanderError);
    },
  );
});

describe("the keys of the local issuer", () => {
  const file = () => path.join(project, ".postern", "local-issuer.json");
  it("are made once, for their owner only, and kept out of Git", async () => {
    const first = await localIssuerKey(project);
    const second = await localIssuerKey(project);
    expect(second).toEqual(first);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    expect((await readdir(path.join(project, ".postern"))).sort()).toEqual([
      ".gitignore",
      "local-issuer.json",
    ]);
    expect(await readFile(path.join(project, ".postern", ".gitignore"), "utf8")).toBe("*\n");
  });
  it("are the same for all that begin at once", async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => localIssuerKey(project)));
    expect(new Set(all.map(({ privateJwk }) => privateJwk.kid)).size).toBe(1);
  });
  it("show nothing private to the gateway", async () => {
    const { privateJwk, publicJwks } = await localIssuerKey(project);
    expect(privateJwk.d).toBeDefined();
    for (const jwk of publicJwks.keys)
      expect(Object.keys(jwk).filter((name) => /^(d|p|q|dp|dq|qi|k)$/.test(name))).toEqual([]);
  });
  it.each(["{", "{}", '{"keys":[]}'])("are not replaced when the file holds %j", async (text) => {
    await localIssuerKey(project);
    await writeFile(file(), text);
    await expect(localIssuerKey(project)).rejects.toThrow("does not hold the keys");
  });
});

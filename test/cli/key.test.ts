import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { registerKey } from "../../src/cli/key.ts";
import { isPossibleKey } from "../../src/lib/api-key.ts";
import { compiled, sourcesOf } from "../support/compiling.ts";

const A = "a".repeat(63);

const POLICIES = `# Who may call.
gateway: { hosts: { public: api.example.com }, clientIp: connection }
plans: { gold: { rate: 10/1m } }

consumers:
  acme: # a good customer
    plan: gold
    keys:
      # of the first contract
      - { id: k1, sha256: "${A}1", expires: 2020-06-30 } # laptop

      - id: k2 # server
        sha256: "${A}2"
      # the one to come
      - { id: k3, sha256: "${A}3" }
  beta: { plan: gold, keys: [{ id: k1, sha256: "${A}4" }, { id: k2, sha256: "${A}5", expires: 2199-01-01 }, { id: k3, sha256: "${A}6" }] }   # flow
upstreams: { orders: { targets: { main: { binding: ORDERS } } } }
apis:
  shop:
    upstream: orders
    policies: { apiKey: {}, rateLimit: { limits: [{ name: plan, rate: plan, key: identity }] } }
    routes: { buy: { match: { path: /buy } } }
`;

let folder: string;
let printed: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "postern-key-"));
  await mkdir(path.join(folder, "policies"));
  printed = "";
  const write = (text: unknown): boolean => {
    printed += String(text);
    return true;
  };
  vi.spyOn(process.stdout, "write").mockImplementation(write);
  vi.spyOn(process.stderr, "write").mockImplementation(write);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

/** Runs `postern key` over one file of policies; answers what it printed. */
const key = async (args: string, text: string | null = POLICIES): Promise<string> => {
  const file = path.join(folder, "policies", "shop.yaml");
  if (text !== null) await writeFile(file, text);
  const program = new Command("postern").exitOverride().configureOutput({ writeErr: () => {} });
  registerKey(program);
  printed = "";
  const where = ["--policies", path.join(folder, "policies"), "--openapi", path.join(folder, "openapi")];
  await program.parseAsync(["key", ...args.split(" "), ...where], { from: "user" });
  return printed.replaceAll(`${folder}${path.sep}`, "");
};

const left = (): Promise<string> => readFile(path.join(folder, "policies", "shop.yaml"), "utf8");

describe("postern key new", () => {
  it("prints a key, its digest and the line that belongs into the policies, and changes nothing", async () => {
    const text = await key("new acme");
    const [made] = text.split("\n");
    expect(made).toMatch(/^postern_live_[0-9A-Za-z]{49}$/);
    expect(isPossibleKey(made!)).toBe(true);
    expect(text).toContain("under `consumers.acme.keys`");
    expect(text).toContain(`  - { id: k4, sha256: "${createHash("sha256").update(made!).digest("hex")}" }\n`);
    expect(await left()).toBe(POLICIES);
  });

  it("makes another each time", async () => {
    const made = [await key("new"), await key("new")].map((text) => text.split("\n")[0]);
    expect(made[0]).not.toBe(made[1]);
  });

  it("writes the whole consumer where there is none of that name", async () => {
    expect(await key("new gamma --expires 2030-01-31 --id first --prefix shop")).toMatch(
      /^postern_shop_\w+\n[\s\S]*under `consumers`:\n\n {2}gamma: \{ keys: \[\{ id: first, sha256: "[0-9a-f]{64}", expires: 2030-01-31 \}\] \}\n$/,
    );
  });

  it("prints a line that compiles", async () => {
    const { entry } = JSON.parse(await key("new acme --format json")) as { entry: string };
    const text = POLICIES.replace("      # the one to come\n", `      - ${entry}\n`);
    expect(compiled(sourcesOf({ "shop.yaml": text })).diagnostics).toEqual([]);
  });

  it("needs no policies where no consumer is named", async () => {
    await rm(path.join(folder, "policies"), { recursive: true });
    expect(await key("new", null)).toContain("under `consumers.<name>.keys`");
    await expect(key("new acme", null)).rejects.toMatchObject({ exitCode: 2 });
  });

  it.each([
    "new --prefix Shop",
    "new --prefix my_shop",
    "new --expires tomorrow",
    "new --expires 2030-02-30",
    "new --id -a",
  ])("refuses %s", (args) => expect(key(args)).rejects.toThrow());

  it("refuses an id that the consumer has", () =>
    expect(key("new acme --id k2")).rejects.toMatchObject({ exitCode: 2, remedy: "Choose another --id." }));
});

describe("postern key list", () => {
  it("shows what the files hold, the digests shortened", async () => {
    expect(await key("list")).toBe(
      `consumer  id  sha256     plan  expires     state    place
acme      k1  aaaaaaaa…  gold  2020-06-30  expired  policies/shop.yaml:10
acme      k2  aaaaaaaa…  gold  -           good     policies/shop.yaml:12
acme      k3  aaaaaaaa…  gold  -           good     policies/shop.yaml:15
beta      k1  aaaaaaaa…  gold  -           good     policies/shop.yaml:16
beta      k2  aaaaaaaa…  gold  2199-01-01  good     policies/shop.yaml:16
beta      k3  aaaaaaaa…  gold  -           good     policies/shop.yaml:16
`,
    );
  });

  it("shows one consumer, and is told to machines", async () => {
    const { keys } = JSON.parse(await key("list acme --format json")) as { keys: object[] };
    expect(keys).toHaveLength(3);
    expect(keys[0]).toMatchObject({ consumer: "acme", id: "k1", state: "expired", digest: `${A}1` });
  });

  it("says when there are none", async () =>
    expect(await key("list", "gateway: { hosts: { public: api.example.com } }\n")).toBe(
      "There are no keys.\n",
    ));

  it("knows what was meant", () =>
    expect(key("list acne")).rejects.toMatchObject({ exitCode: 2, remedy: 'Did you mean "acme"?' }));
});

describe("postern key revoke", () => {
  /** The lines that a revocation took away and put in place. */
  const changed = (after: string, before = POLICIES): string[] => {
    const [old, now] = [before.split("\n"), after.split("\n")];
    return [
      ...old.filter((line) => !now.includes(line)).map((line) => `-${line}`),
      ...now.filter((line) => !old.includes(line)).map((line) => `+${line}`),
    ];
  };

  it.each<[string, string, string[]]>([
    ["a line", "acme k1", [`-      - { id: k1, sha256: "${A}1", expires: 2020-06-30 } # laptop`]],
    ["two lines", "acme k2", ["-      - id: k2 # server", `-        sha256: "${A}2"`]],
    ["the last of a list", "acme k3", [`-      - { id: k3, sha256: "${A}3" }`]],
  ])("takes out %s and leaves the rest as it was", async (_, args, wanted) => {
    expect(await key(`revoke ${args}`)).toMatch(
      /^Removed the key "k\d" of "acme": policies\/shop.yaml:\d+\. /,
    );
    expect(changed(await left())).toEqual(wanted);
  });

  it.each<[string, string, string]>([
    [
      "the first of a flow list",
      "k1",
      `[{ id: k2, sha256: "${A}5", expires: 2199-01-01 }, { id: k3, sha256: "${A}6" }]`,
    ],
    ["one in the middle", "k2", `[{ id: k1, sha256: "${A}4" }, { id: k3, sha256: "${A}6" }]`],
    ["the last", "k3", `[{ id: k1, sha256: "${A}4" }, { id: k2, sha256: "${A}5", expires: 2199-01-01 }]`],
  ])("takes out %s", async (_, id, list) => {
    await key(`revoke beta ${id}`);
    expect(changed(await left())).toContain(`+  beta: { plan: gold, keys: ${list} }   # flow`);
  });

  it("leaves an empty list behind the last key, whatever the form", async () => {
    await writeFile(path.join(folder, "policies", "shop.yaml"), POLICIES);
    for (const name of ["acme", "beta"])
      for (const id of ["k1", "k2", "k3"]) await key(`revoke ${name} ${id}`, null);
    expect(await key("list", await left())).toBe("There are no keys.\n");
    expect(await left()).toContain("# of the first contract");
    expect(compiled(sourcesOf({ "shop.yaml": await left() })).diagnostics).toMatchObject([
      { code: "no-consumer-keys" },
    ]);
  });

  it("takes it out of every environment too", async () => {
    const text = `${POLICIES}environments:\n  staging:\n    consumers:\n      acme:\n        keys:\n        - { id: k1, sha256: "${A}1" }\n`;
    expect(await key("revoke acme k1", text)).toContain("policies/shop.yaml:10, policies/shop.yaml:");
    expect(await left()).not.toContain(`${A}1`);
  });

  it.each<[string, string]>([
    ["behind an anchor", POLICIES.replace("    keys:\n", "    keys: &shared\n")],
    ["in a file that cannot be read", `${POLICIES}  : [\n`],
  ])("leaves to people what is %s, and changes nothing", async (_, text) => {
    await expect(key("revoke acme k1", text)).rejects.toMatchObject({
      exitCode: 2,
      remedy: expect.stringMatching(/^Remove the entry with `id: k1` by hand: .*shop\.yaml:10\.$/),
    });
    expect(await left()).toBe(text);
  });

  it.each([
    ["acme k9", 'Did you mean "k1"?'],
    ["acne k1", 'Did you mean "acme"?'],
  ])("knows what was meant by %s", (args, remedy) =>
    expect(key(`revoke ${args}`)).rejects.toMatchObject({ exitCode: 2, remedy }),
  );
});

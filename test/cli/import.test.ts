import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { proposedId } from "../../src/cli/import-ids.ts";
import { run } from "../support/served.ts";

const GATEWAY = "gateway: { hosts: { public: api.example.com }, clientIp: cloudflare }\n";
const ISSUER =
  'issuers: { main: { issuer: main, audiences: [pets], algorithms: [ES256], jwks: { url: "https://login.example.com/jwks" } } }\n';
const KEEPER =
  "apis: { keeper: { routes: { keep: { match: { path: /keep }, policies: { jwt: { issuers: [main] } }, respond: { status: 204 } } } } }\n";

const PETS = `openapi: 3.0.3
info: { title: Pets, version: 1.0.0 }
servers:
  - url: https://{region}.pets.example.com/{base}/
    variables: { region: { default: eu }, base: { default: v1 } }
security: [{ token: [] }]
paths:
  # Everybody's pets.
  /pets:
    get: { operationId: listPets, responses: { "200": { description: ok } } }
    post: { operationId: addPet, responses: { "201": { description: ok } } }
components:
  securitySchemes:
    token: { type: http, scheme: bearer }
`;

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** A folder with policies and further files. */
const workspace = async (files: Readonly<Record<string, string>>, policies = GATEWAY): Promise<string> => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "postern-import-"));
  folders.push(folder);
  for (const [name, text] of Object.entries({ "policies/gateway.yaml": policies, ...files })) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
  return folder;
};

const readIn = (folder: string, name: string): Promise<string> => readFile(path.join(folder, name), "utf8");
const importing = (folder: string, ...args: string[]) => run(["import", "openapi", ...args], folder);
const check = (folder: string) => run(["check"], folder);

describe("the id that is proposed for an operation", () => {
  it.each([
    ["GET", "/users/{id}", "getUsersById"],
    ["GET", "/users/{user_id}/orders/{orderId}", "getUsersByUserIdOrdersByOrderId"],
    ["POST", "/", "postRoot"],
    ["DELETE", "/v1/{a}...{b}.json", "deleteV1ByAByBJson"],
    ["PATCH", "/old-things/{x}:move", "patchOldThingsByXMove"],
    ["GET", "/ünïcode", "getNCode"],
  ])("%s %s is %s", (method, template, id) => expect(proposedId(method, template)).toBe(id));
});

describe("postern import openapi", () => {
  it("writes an api that passes the check, where all that it needs is known", async () => {
    const folder = await workspace({ "pets.yaml": PETS }, GATEWAY + ISSUER + KEEPER);
    const { code, stdout, stderr } = await importing(folder, "pets.yaml");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe('openapi/pets.yaml\npolicies/pets.yaml\n\nThe api "pets" offers 2 operations.\n');
    expect(await readIn(folder, "openapi/pets.yaml")).toBe(PETS);
    expect(
      await readIn(folder, "policies/pets.yaml"),
    ).toBe(`# Written by \`postern import openapi\` from "pets.yaml"; it is yours to change.
upstreams:
  pets:
    targets:
      main: { url: "https://eu.pets.example.com/v1" }

apis:
  pets:
    openapi: { file: pets.yaml, prefix: /v1, operations: all }
    upstream: pets
    policies:
      jwt: { issuers: [main] }   # the document's "token"
`);
    expect(await check(folder)).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  it("never opens an api by itself: who may call is left to choose, with suggestions", async () => {
    const more =
      PETS.replace("{ token: [] }", "{ token: [] }, { key: [] }").replace(
        "listPets,",
        "listPets, security: [],",
      ) + "    key: { type: apiKey, in: header, name: X-Key }\n";
    const folder = await workspace({ "pets.yaml": more });
    const { code, stdout, stderr } = await importing(folder, "pets.yaml", "--api", "animals");
    expect(code).toBe(0);
    expect(stdout).toContain("Nobody is asked yet who they are");
    expect(stderr).toContain("no-identity");
    const written = await readIn(folder, "policies/animals.yaml");
    expect(written).toContain("    # policies:\n");
    expect(written).toContain(
      '    #   jwt: { issuers: [main] }   # the document\'s "token"; describe the issuer under `issuers:` first\n',
    );
    expect(written).toContain('    #   apiKey: { from: { header: "x-key" } }');
    expect(written).toContain("    #   identity: { any: [");
    expect(written).toContain("nothing in listPets;");
    expect(written.replaceAll(/^ *#.*$/gm, "")).not.toMatch(/public|policies/);
    const { stderr: left } = await check(folder);
    expect(left.match(/ (error|warning) \S+/g)).toEqual([" error no-identity"]);
  });

  it.each(["yaml", "json"])("gives ids to operations in a copy, in %s", async (form) => {
    const document = {
      openapi: "3.0.3",
      info: { title: "Pets", version: "1" },
      servers: [{ url: "https://pets.example.com" }],
      paths: {
        "/pets/{id}": {
          parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }],
          get: { responses: { 200: { description: "ok" } } },
          put: { operationId: "getPetsById2", responses: { 200: { description: "ok" } } },
          delete: { operationId: "deletePetsById", responses: { 204: { description: "ok" } } },
        },
        "/pets/by/id": { get: { responses: { 200: { description: "ok" } } } },
      },
    };
    const text =
      form === "json" ? JSON.stringify(document) : `# Mine.\n${JSON.stringify(document, undefined, 2)}\n`;
    const folder = await workspace({ [`in/pets.${form}`]: text }, GATEWAY + ISSUER + KEEPER);
    const { stdout } = await importing(folder, `in/pets.${form}`);
    expect(stdout).toContain(
      "2 of them had no operationId. The copy has: getPetsById for GET /pets/by/id, and so on.",
    );
    expect(await readIn(folder, `in/pets.${form}`)).toBe(text);
    const copy = await readIn(folder, `openapi/pets.${form}`);
    expect(
      copy
        .match(/operationId"?: "?\w+/g)
        ?.map((it) => it.replace(/.*\W/, ""))
        .sort(),
    ).toEqual(["deletePetsById", "getPetsById", "getPetsById2", "getPetsById3"]);
    if (form === "yaml") expect(copy).toMatch(/^# Mine\.\n/);
    const { stderr } = await check(folder);
    expect(stderr.match(/ (error|warning) \S+/g)).toEqual([" error no-identity"]);
  });

  it.each(["yaml", "json"])(
    "gives other ids to operations whose own cannot name a route, in %s",
    async (form) => {
      const answers = { responses: { 200: { description: "ok" } } };
      const document = {
        openapi: "3.0.0",
        info: { title: "Pets", version: "1" },
        paths: {
          "/pets": { get: { summary: "All.", operationId: "find pets", ...answers } },
          "/pets/first": { get: { operationId: "findPets", ...answers } },
          "/pets/last": { get: { operationId: "…", ...answers } },
        },
      };
      const folder = await workspace(
        { [`in/pets.${form}`]: JSON.stringify(document) },
        GATEWAY + ISSUER + KEEPER,
      );
      const { stdout } = await importing(folder, `in/pets.${form}`, "--upstream", "https://pets.example.com");
      expect(stdout).toContain(
        '2 of them had an operationId that cannot name a route. The copy has: findPets2 for "find pets", and so on.',
      );
      const copy = await readIn(folder, `openapi/pets.${form}`);
      expect([...copy.matchAll(/operationId"?: "?(\w+)/g)].map(([, id]) => id)).toEqual([
        "findPets2",
        "findPets",
        "getPetsLast",
      ]);
      expect(copy.indexOf("summary")).toBeLessThan(copy.indexOf("operationId"));
      const { stderr } = await check(folder);
      expect(stderr.match(/ (error|warning) \S+/g)).toEqual([" error no-identity"]);
    },
  );

  it("takes the files along that a document refers to, and no file from outside of its folder", async () => {
    const files = {
      "in/openapi.yaml": `openapi: 3.1.0
info: { title: "The Orders!", version: 1.0.0 }
servers: [{ url: /shop }]
paths:
  /orders: { $ref: "paths/orders.yaml" }
`,
      "in/paths/orders.yaml": `get:
  responses:
    "200": { description: ok, content: { application/json: { schema: { $ref: "../schemas/order.yaml" } } } }
    "400": { description: no, content: { application/json: { schema: { $ref: "../../secret.yaml" } } } }
    "404": { description: no, content: { application/json: { schema: { $ref: "../linked.yaml" } } } }
`,
      "in/schemas/order.yaml": "type: object\n",
      "in/unused.yaml": "a: 1\n",
      "secret.yaml": "type: string\n",
    };
    const folder = await workspace(files, GATEWAY + ISSUER + KEEPER);
    await symlink(path.join(folder, "secret.yaml"), path.join(folder, "in/linked.yaml"));
    const { code, stdout, stderr } = await importing(
      folder,
      "in/openapi.yaml",
      "--upstream",
      "http://10.0.0.1:8080/",
    );
    expect(code).toBe(0);
    expect(stdout).toContain('The api "the-orders" offers 1 operation.');
    expect(stdout).toContain("getOrders for GET /orders");
    const made = await readdir(path.join(folder, "openapi"), { recursive: true });
    expect(made.sort()).toEqual([
      "the-orders",
      "the-orders/openapi.yaml",
      "the-orders/paths",
      "the-orders/paths/orders.yaml",
      "the-orders/schemas",
      "the-orders/schemas/order.yaml",
    ]);
    expect(await readIn(folder, "openapi/the-orders/paths/orders.yaml")).toContain("operationId: getOrders");
    const api = await readIn(folder, "policies/the-orders.yaml");
    expect(api).toContain('main: { url: "http://10.0.0.1:8080/shop", network: private }');
    expect(api).toContain("openapi: { file: the-orders/openapi.yaml, prefix: /shop, operations: all }");
    expect(stderr.match(/ (error|warning) \S+/g)?.sort()).toEqual([
      " error no-identity",
      " error unknown-file",
      " error unknown-file",
    ]);
  });

  it("points to a document that is in the folder already", async () => {
    const folder = await workspace({ "openapi/pets.yaml": PETS }, GATEWAY + ISSUER + KEEPER);
    const { code, stdout } = await importing(folder, "openapi/pets.yaml");
    expect({ code, first: stdout.split("\n")[0] }).toEqual({ code: 0, first: "policies/pets.yaml" });
    expect(await readdir(path.join(folder, "openapi"))).toEqual(["pets.yaml"]);
    expect(await check(folder)).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  it("writes over nothing without --force", async () => {
    const folder = await workspace(
      { "pets.yaml": PETS, "openapi/pets.yaml": "mine" },
      GATEWAY + ISSUER + KEEPER,
    );
    const refused = await importing(folder, "pets.yaml");
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('"openapi/pets.yaml" is there already.');
    expect(await readdir(path.join(folder, "policies"))).toEqual(["gateway.yaml"]);
    expect((await importing(folder, "pets.yaml", "--force")).code).toBe(0);
    const first = await readIn(folder, "policies/pets.yaml");
    const again = await importing(folder, "pets.yaml");
    expect({ code: again.code, said: again.stderr.split("\n")[0] }).toEqual({
      code: 2,
      said: 'error There is an api "pets" already, in policies/pets.yaml.',
    });
    expect((await importing(folder, "pets.yaml", "--force")).code).toBe(0);
    expect(await readIn(folder, "policies/pets.yaml")).toBe(first);
  });

  it.each<[string, string, string[], 1 | 2, string]>([
    [
      "a document that names no server",
      PETS.replace(/servers:[\s\S]*?security/, "security"),
      [],
      2,
      "--upstream https://",
    ],
    ["an upstream that is no service", PETS, ["--upstream", "ftp://x"], 2, "no URL of a service"],
    ["an upstream with a password", PETS, ["--upstream", "https://a:b@x"], 2, "no URL of a service"],
    ["a name that is none", PETS, ["--api", "a b"], 2, "cannot be the name of an api"],
    ["a name with a path", PETS, ["--api", "../x"], 2, "cannot be the name of an api"],
    ["OpenAPI 2", PETS.replace("openapi: 3.0.3", "swagger: '2.0'"), [], 1, "openapi-version"],
    ["what is no YAML", "openapi: [", [], 1, "yaml-syntax"],
  ])("refuses %s, and writes nothing", async (_, text, args, expected, said) => {
    const folder = await workspace({ "pets.yaml": text });
    const { code, stderr } = await importing(folder, "pets.yaml", ...args);
    expect(stderr).toContain(said);
    expect({ code, made: await readdir(path.join(folder, "policies")) }).toEqual({
      code: expected,
      made: ["gateway.yaml"],
    });
  });

  it("refuses an address and a file that is not there", async () => {
    const folder = await workspace({});
    for (const [file, said] of [
      ["https://example.com/openapi.yaml", "is not a file"],
      ["none.yaml", "is not there"],
      ["policies", "is no document in YAML or JSON"],
    ] as const) {
      const { code, stderr } = await importing(folder, file);
      expect({ code, said: stderr.includes(said) }).toEqual({ code: 2, said: true });
    }
  });

  it("takes GitHub's description", async () => {
    const folder = await workspace({});
    const packed = path.join(import.meta.dirname, "../conformance/github/api.github.com.json.br");
    await writeFile(path.join(folder, "api.github.com.json"), brotliDecompressSync(await readFile(packed)));
    await cp(path.join(folder, "policies"), path.join(folder, "kept"), { recursive: true });
    const { code, stdout, stderr } = await importing(folder, "api.github.com.json", "--api", "github");
    expect(code).toBe(0);
    expect(stdout).toContain('The api "github" offers 1223 operations.');
    expect(await readIn(folder, "policies/github.yaml")).toContain('main: { url: "https://api.github.com" }');
    expect(stderr.match(/ error \S+/g)).toEqual([" error no-identity"]);
  });
});

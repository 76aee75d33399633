import { rm } from "node:fs/promises";
import { stripVTControlCharacters } from "node:util";
import { Command } from "commander";
import { SignJWT } from "jose";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { registerExplain } from "../../src/cli/explain.ts";
import type { ExplainedRequest } from "../../src/cli/explaining.ts";
import { CommandFailed } from "../../src/cli/failure.ts";
import { writeWorkspace } from "../support/served.ts";

const POLICIES = `
gateway: { name: shop, hosts: { public: api.example.com }, clientIp: cloudflare }
issuers:
  main: { issuer: https://login.example.com/, audiences: [shop, staff], algorithms: [ES256], jwks: { url: "https://login.example.com/jwks.json" }, type: at+jwt, claims: { level: int } }
  jobs: { issuer: jobs, audiences: [shop], algorithms: [HS256], secret: { env: SECRET } }
upstreams:
  one: { targets: { a: { url: "https://one.example.com/v1", weight: 3 }, b: { binding: ONE } }, timeout: 5s, retry: { retries: 2 } }
  two: { targets: { a: { binding: TWO } } }
apis:
  open:
    public: true
    upstream: one
    routes:
      cached: { match: { path: /cached, methods: [GET, POST] }, policies: { cache: { ttl: 30s, staleWhileRevalidate: 1m, staleIfError: 5m, maxBody: 1KiB } } }
      listed: { match: { path: /listed }, policies: { cache: { key: { query: [page], headers: [x-version], cookies: [theme] } } } }
      overridden: { match: { path: /overridden }, policies: { cache: { ttl: 10s, override: true } } }
      heeding: { match: { path: /heeding }, policies: { cache: { ttl: 10s, clientDirectives: true } } }
      split: { match: { path: /split }, split: { lanes: { one: 90%, two: 10% }, sticky: { by: ip } }, policies: { cache: {} } }
      timed: { match: { path: /timed }, timeout: 7s }
      fixed: { match: { path: /fixed }, respond: { status: 204 } }
      moved: { match: { path: /moved }, redirect: { status: 301, host: new.example.com } }
  closed:
    upstream: two
    policies: { jwt: { issuers: [main], audiences: [shop], scopes: { any: [read] } } }
    routes:
      mine: { match: { path: "/mine/{id}" }, policies: { authorize: { allow: "identity.subject == params.id" }, cache: { ttl: 30s, tags: ["mine:{params.id}"], jitter: 10% } } }
      ours: { match: { path: /ours }, policies: { cache: { ttl: 30s, shared: true } } }
      near: { match: { path: /near }, policies: { authorize: { allow: "client.country == 'DE'" } } }
  secret:
    upstream: two
    policies: { jwt: { issuers: [jobs] } }
    routes: { any: { match: { path: /secret } } }
  asked:
    upstream: two
    policies: { jwt: { issuers: [jobs] }, forwardAuth: { url: https://auth.example.com/check, identity: x-user }, identity: { any: [jwt, forwardAuth, anonymous] } }
    routes: { any: { match: { path: /any } } }
`;

let good: Awaited<ReturnType<typeof writeWorkspace>>;
let wrong: Awaited<ReturnType<typeof writeWorkspace>>;
beforeAll(async () => {
  good = await writeWorkspace({ files: { "all.yaml": POLICIES } });
  wrong = await writeWorkspace({
    files: { "all.yaml": POLICIES.replace("upstream: one", "upstream: none") },
  });
});
afterAll(async () => {
  await rm(good.folder, { recursive: true });
  await rm(wrong.folder, { recursive: true });
});

let printed = "";
let complained = "";
beforeEach(() => {
  printed = complained = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    complained += String(text);
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

/** Runs the command; answers what it printed. */
const run = async (args: readonly string[], { policies, openapi } = good): Promise<string> => {
  printed = "";
  const program = new Command("postern").exitOverride().configureOutput({ writeErr: () => {} });
  registerExplain(program);
  for (const command of program.commands) command.exitOverride();
  await program.parseAsync(["explain", ...args, "--policies", policies, "--openapi", openapi], {
    from: "user",
  });
  return printed;
};

const explained = async (...args: string[]): Promise<ExplainedRequest> =>
  JSON.parse(await run([...args, "--format", "json"])) as ExplainedRequest;

const url = (path: string): string => `https://api.example.com${path}`;

const now = Math.floor(Date.now() / 1000);
/** A token that is good but for its signature, which is by a key of nobody's. */
const token = (claims: object = {}, header: object = {}): Promise<string> =>
  new SignJWT({
    iss: "https://login.example.com/",
    aud: "shop",
    sub: "ann",
    scope: "read",
    exp: now + 300,
    ...claims,
  })
    .setProtectedHeader({ alg: "HS256", typ: "at+jwt" })
    .sign(new TextEncoder().encode("nobody's key ".repeat(4)))
    .then((text) => {
      const head = Buffer.from(JSON.stringify({ alg: "ES256", typ: "at+jwt", ...header })).toString(
        "base64url",
      );
      return [head, ...text.split(".").slice(1)].join(".");
    });

describe("what becomes of a request", () => {
  it.each([
    ["GET https://api.example.com/nothing", 404, "no-route"],
    ["DELETE https://api.example.com/cached", 405, "method-not-allowed"],
    ["GET https://api.example.com/cached%2Fb", 400, "path-refused"],
    ["GET https://api.example.com/cached%252Fb", 400, "path-refused"],
    ["GET https://user@api.example.com/cached", 400, "host-refused"],
    ["TRACE https://api.example.com/cached", 501, "method-refused"],
    ["GET https://other.example.com/cached", 404, "no-route"],
  ])("%s", async (line, status, code) => {
    const { answer, route } = await explained(line);
    expect([answer?.status, answer?.code, route]).toEqual([status, code, undefined]);
  });

  it.each([
    [
      "the path as the gateway has it",
      "GET https://API.example.com:443/a/.././%63ached/",
      "api.example.com",
      "/cached/",
    ],
    ["a URL without method or path", "https://api.example.com", "api.example.com", "/"],
  ])("is told of %s", async (_, line, host, path) => {
    const { request } = await explained(line);
    expect([request.method, request.host, request.path]).toEqual(["GET", host, path]);
  });

  it("where the method is what is wrong, the routes that take others are told", async () => {
    const { answer, others } = await explained("DELETE", url("/cached"));
    expect([answer?.allow, others.map(({ id }) => id)]).toEqual(["GET, HEAD, POST", ["open.cached"]]);
  });

  it("may be given in several words", async () => {
    expect((await explained("POST", url("/cached"))).route?.id).toBe("open.cached");
  });

  it.each([
    ["/cached", ["goes to the upstream one"]],
    ["/split", ["goes down one of the lanes one 90%, two 10%", "a caller stays in a lane, by ip"]],
    ["/fixed", ["the gateway answers with 204 by itself"]],
    ["/moved", ["is redirected with 301: host new.example.com"]],
  ])("%s", async (path, does) => {
    expect((await explained(url(path))).action?.does).toEqual(does);
  });

  it("tells targets, time and tries of the upstream", async () => {
    expect((await explained(url("/cached"))).action?.upstreams).toMatchObject([
      {
        name: "one",
        targets: ["a (https://one.example.com/v1, weight 3)", "b (binding ONE, weight 1)"],
        timeoutMs: 5000,
      },
    ]);
    expect((await explained(url("/timed"))).action?.upstreams).toMatchObject([{ timeoutMs: 7000 }]);
  });
});

describe("whether an answer is stored", () => {
  const RETRIED = ", then stale for 60 s while it is revalidated, stale for 300 s where the upstream fails";
  it.each<[string, string, string[], string]>([
    ["/cached", "200", [], `stored for 30 s (as \`ttl\` of the policy says)${RETRIED}`],
    ["/cached", "200", ["cache-control: max-age=60"], `stored for 60 s (as the origin says)${RETRIED}`],
    [
      "/cached",
      "200",
      ["cache-control: max-age=60", "age: 20"],
      `stored for 40 s (as the origin says)${RETRIED}`,
    ],
    [
      "/cached",
      "200",
      ["cache-control: max-age=60, must-revalidate"],
      "stored for 60 s (as the origin says)",
    ],
    ["/cached", "200", ["cache-control: no-cache", 'etag: "1"'], "stored, and asked about each time"],
    ["/cached", "200", ["cache-control: no-store"], "not stored: no-store, the origin says no-store"],
    ["/cached", "200", ["cache-control: private"], "not stored: private, the origin says private"],
    ["/cached", "200", ["set-cookie: a=1"], "not stored: set-cookie"],
    ["/cached", "200", ["vary: *"], "not stored: vary"],
    ["/cached", "200", ["content-type: text/event-stream"], "not stored: stream"],
    ["/cached", "200", ["content-length: 4096"], "not stored: too-large"],
    ["/cached", "500", [], "not stored: no-freshness"],
    ["/cached", "429", ["cache-control: max-age=60"], "not stored: status"],
    ["/listed", "200", [], "not stored: no-freshness"],
    ["/overridden", "200", ["cache-control: max-age=60"], "stored for 10 s (as `ttl` of the policy says)"],
    ["/mine/ann", "200", ["cache-control: private, max-age=60"], "stored for 60 s (as the origin says)"],
    ["/ours", "200", ["cache-control: private, max-age=60"], "not stored: private"],
    ["/ours", "200", ["cache-control: max-age=60"], "stored for 60 s (as the origin says)"],
  ])("%s %s %j", async (path, status, fields, verdict) => {
    const { cache } = await explained(
      url(path),
      ...(path === "/ours" || path.startsWith("/mine") ? ["--token", await token()] : []),
      ...["--answer", status],
      ...fields.flatMap((field) => ["--answer-header", field]),
    );
    expect(cache?.answers).toHaveLength(1);
    const told = cache!.answers[0]!.verdict;
    // Of what is not stored the reason's name is enough.
    expect(verdict.startsWith("stored") ? told : told.slice(0, verdict.length)).toBe(verdict);
    expect(cache?.answers[0]?.stored).toBe(verdict.startsWith("stored"));
  });

  it("an answer to a request whose Authorization goes to the upstream is not, on a public route", async () => {
    const { cache } = await explained(url("/cached"), "-H", "authorization: Basic YTpi", "--answer", "200");
    expect(cache?.answers[0]?.verdict).toMatch(/^not stored: authorization, /);
  });

  it("is told as for another caller where this one is refused, whose credential the upstream does not see", async () => {
    const { caller, cache } = await explained(url("/ours"), "--token", "nothing", "--answer", "200");
    expect([caller?.verdict, cache?.answers[0]?.stored]).toEqual(["refused", true]);
  });

  it("is told of typical answers where none is asked about", async () => {
    const { cache } = await explained(url("/cached"));
    const told = cache!.answers.map(({ answer, stored }) => `${answer} ${stored ? "stored" : "not"}`);
    expect(told).toEqual([
      "200 stored",
      "200, cache-control: max-age=60 stored",
      '200, etag: "1" stored',
      "200, cache-control: no-store not",
      "200, cache-control: private, max-age=60 not",
      "200, set-cookie: a=1 not",
      "404 stored",
      "500 not",
    ]);
  });

  it.each<[string, string, string[], boolean, string]>([
    ["a GET", "/cached", [], true, "a fresh entry answers it"],
    ["a request about another copy", "/cached", ["if-match: *"], false, "the request itself asks"],
    [
      "a client's word that counts",
      "/heeding",
      ["cache-control: no-store"],
      false,
      "the request itself asks",
    ],
    [
      "a client's word that does not",
      "/cached",
      ["cache-control: no-store"],
      true,
      "a fresh entry answers it",
    ],
  ])("a request may be answered from a store: %s", async (_, path, fields, mayAnswer, why) => {
    const { cache } = await explained(url(path), ...fields.flatMap((field) => ["-H", field]));
    expect([cache?.mayAnswer, cache?.why]).toEqual([mayAnswer, expect.stringContaining(why)]);
    expect(cache?.answers.some(({ stored }) => stored)).toBe(mayAnswer);
  });

  it("HEAD is answered from a store, and its answers are not stored; POST is not even answered", async () => {
    const head = (await explained(`HEAD ${url("/cached")}`)).cache;
    expect([head?.mayAnswer, head?.answers.some(({ stored }) => stored)]).toEqual([true, false]);
    const post = (await explained(`POST ${url("/cached")}`)).cache;
    expect([post?.mayAnswer, post?.why]).toEqual([
      false,
      "only GET and HEAD are answered from a store, and this is POST",
    ]);
  });

  it("tells what an entry is found by", async () => {
    const { cache } = await explained(url("/listed?z=1&page=2"), "-H", "x-version: 2");
    expect(cache?.key).toEqual([
      "https://api.example.com/listed",
      "query ?page=2, of its parameters page",
      "left out of the key and not forwarded: z=1",
      "one entry for all callers",
      "of the route open.listed",
      "by header x-version",
      "by cookie theme",
      "by the fields that Vary of the answer names",
    ]);
    expect((await explained(url("/split"))).cache?.key).toContain(
      "of the route open.split, and of the lane that its split chooses",
    );
  });

  it("tells by which tags it is purged, and that lifetimes are not exact", async () => {
    const { cache } = await explained(url("/mine/ann"), "--token", await token());
    expect(cache?.tags).toEqual(["mine:ann"]);
    expect(cache?.lifetimes).toEqual([
      "ttl 30 s, where the origin says nothing",
      "up to 10% shorter, by chance",
    ]);
  });

  it("tells whose an entry is", async () => {
    const whose = async (path: string, ...args: string[]) =>
      (await explained(url(path), ...args)).cache?.key[2];
    expect(await whose("/mine/ann", "--token", await token())).toBe("the entry of jwt main:ann alone");
    expect(await whose("/mine/ann")).toBe("an entry for each caller alone");
    expect(await whose("/ours", "--token", await token())).toBe("one entry for all callers");
  });
});

describe("a token is judged by all but its signature:", () => {
  it.each<[string, string, object, object, string]>([
    ["a good one", "/mine/ann", {}, {}, "jwt main:ann"],
    ["another's", "/mine/bob", {}, {}, "403 forbidden apis.closed.routes.mine.policies.authorize is false"],
    ["one for others", "/ours", { aud: "others" }, {}, "401 token-audience"],
    ["one for some of the issuer's audiences", "/ours", { aud: "staff" }, {}, "401 token-audience"],
    ["one without the scope", "/ours", { scope: "write" }, {}, "403 insufficient-scope"],
    ["one that is over", "/ours", { exp: now - 10 }, {}, "401 token-expired"],
    ["one of another type", "/ours", {}, { typ: "JWT" }, "401 token-type"],
    ["one of an issuer that the route does not ask", "/ours", { iss: "jobs" }, {}, "401 token-issuer"],
    ["one that its issuer could not have signed", "/ours", {}, { alg: "PS256" }, "401 token-signature"],
    ["one of an issuer with a secret", "/secret", { iss: "jobs" }, { alg: "HS256" }, "jwt jobs:ann"],
  ])("%s", async (_, path, claims, header, verdict) => {
    const given = await token(claims, header);
    const { caller } = await explained(url(path), "--token", given);
    const { identity, refusal } = caller!;
    expect(
      identity ? `${identity.kind} ${identity.id}` : `${refusal!.status} ${refusal!.code} ${refusal!.why}`,
    ).toContain(verdict);
    expect(printed).not.toContain(given.split(".")[2]);
  });

  it("what is no token is refused as such, and its absence too", async () => {
    expect((await explained(url("/ours"), "--token", "nothing")).caller?.refusal?.code).toBe(
      "token-malformed",
    );
    expect((await explained(url("/ours"))).caller?.refusal?.code).toBe("credential-missing");
  });

  it("shows its claims", async () => {
    const { caller } = await explained(url("/ours"), "--token", await token({ level: 3 }));
    expect(caller?.claims).toMatchObject({ sub: "ann", level: 3 });
  });

  it("says what cannot be known here", async () => {
    expect((await explained(url("/near"), "--token", await token())).caller?.doubts).toEqual([
      "authorize looks at client.country, which is another in production",
    ]);
    expect((await explained(url("/any"), "-H", "cookie: session=1")).caller).toEqual({
      verdict: "open",
      doubts: ["forwardAuth asks a service, which is not asked here"],
    });
    expect((await explained(url("/cached"))).caller).toBeUndefined();
  });
});

describe("the call", () => {
  it.each([
    ["without a URL", ["GET /users/42"]],
    ["with another scheme", ["ftp://api.example.com/a"]],
    ["with a method that is none", ["G(T https://api.example.com/a"]],
    ["with characters that no client sends", ["https://api.example.com/é"]],
  ])("%s is wrong", async (_, args) => {
    const failure = await run(args).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CommandFailed);
    expect((failure as CommandFailed).exitCode).toBe(2);
    expect((failure as CommandFailed).remedy).not.toBe("");
  });

  it.each([
    ["a field without a colon", ["-H", "x-version"]],
    ["a field that cannot be", ["-H", "x version: 1"]],
    ["a status that is none", ["--answer", "99"]],
    ["a form that there is not", ["--format", "sarif"]],
  ])("%s is wrong", async (_, args) => {
    await expect(run([url("/cached"), ...args])).rejects.toMatchObject({
      exitCode: 1,
      name: "CommanderError",
    });
  });

  it("fails with 1 where the policies are at fault, and says where", async () => {
    const failure = await run([url("/cached")], wrong).catch((error: unknown) => error);
    expect((failure as CommandFailed).exitCode).toBe(1);
    expect(complained).toContain("unknown-name");
    expect(printed).toBe("");
  });
});

it("for people, all of it stands in one text with places", async () => {
  // Where CI is set it is printed in colors.
  const text = stripVTControlCharacters(
    await run([url("/mine/ann"), "--token", await token(), "--answer", "200"]),
  );
  const lines = text.split("\n").map((line) => line.replaceAll(good.policies, "policies"));
  for (const line of [
    "GET https://api.example.com/mine/ann",
    "closed.mine takes it  policies/all.yaml:26:7",
    "  by any method /mine/{id} at api.example.com",
    '  with id = "ann"',
    "   1 jwt  policies/all.yaml:24:17  from the api",
    "   2 identity  follows from jwt: it has to pass",
    "  passes as jwt main:ann",
    "    200: stored for 30 s (as `ttl` of the policy says)",
  ])
    expect(lines).toContain(line);
});

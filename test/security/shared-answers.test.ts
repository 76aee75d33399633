import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compact, type Ground, HOST, hs256, now, startGround, statusOf, upstream } from "./support.ts";

// S19: an answer that was made for one is not given to another. Each row beside the same answer without what makes it private.

const SECRET = "a secret of thirty-two bytes and more";

const policies = (urls: Record<"origin", string>): string => `
gateway: { name: shared, hosts: { public: ${HOST} }, clientIp: connection }
issuers: { jobs: { issuer: jobs, audiences: [shop], algorithms: [HS256], secret: { env: SECRET } } }
upstreams: { origin: ${upstream(urls.origin)} }
apis:
  open:
    public: true
    upstream: origin
    routes:
      cached: { match: { path: "/cached/{name}" }, policies: { cache: { ttl: 1h } } }
      forced: { match: { path: "/forced/{name}" }, policies: { cache: { ttl: 1h, override: true } } }
  known:
    upstream: origin
    policies: { jwt: {} }
    routes:
      own: { match: { path: "/own/{name}" }, policies: { cache: { ttl: 1h } } }
      passed: { match: { path: "/passed/{name}" }, policies: { jwt: { forwardCredential: true }, cache: { ttl: 1h } } }
      maybe: { match: { path: "/maybe/{name}" }, policies: { identity: { any: [jwt, anonymous] }, cache: { ttl: 1h } } }
      all: { match: { path: "/all/{name}" }, policies: { cache: { ttl: 1h, shared: true } } }
`;

let ground: Ground<"origin">;
beforeAll(async () => {
  ground = await startGround(["origin"], policies, { SECRET });
});
afterAll(() => ground?.stop());

type Fields = Readonly<Record<string, string>>;

let made = 0;
/** A path that no other test uses; each of its answers has a body of its own. */
const fresh = (prefix: string, status: number, fields: Fields): string => {
  const path = `/${prefix}/${++made}`;
  let answers = 0;
  ground.origins.origin.on(path, (request, response) => {
    request.resume().once("end", () => {
      const body = `answer ${++answers}`;
      response
        .writeHead(status, { "content-length": body.length, ...fields })
        .end(request.method === "HEAD" ? "" : body);
    });
  });
  return path;
};

/** The body of each answer to requests that follow each other. */
const bodies = async (
  requests: readonly (readonly [line: string, ...fields: string[]])[],
): Promise<string[]> => {
  const found: string[] = [];
  for (const [line, ...fields] of requests) {
    const { answer } = await ground.request(line, fields);
    expect(answer.status).toBeLessThan(400);
    found.push(answer.body.toString());
  }
  return found;
};

/** Whether what the first request got is what the second gets. */
const isShared = async (
  path: string,
  first: readonly string[] = [],
  second: readonly string[] = [],
): Promise<boolean> => {
  const [one, other] = await bodies([
    [`GET ${path}`, ...first],
    [`GET ${path}`, ...second],
  ]);
  return one === other;
};

const PUBLIC = { "cache-control": "max-age=60" };

describe("S19: what an origin says of its answer", () => {
  const rows: [string, number, Fields, boolean][] = [
    ["that it may be kept", 200, PUBLIC, true],
    ["nothing, where the policy has a ttl", 200, {}, true],
    ["private", 200, { "cache-control": "private, max-age=60" }, false],
    ["PRIVATE among others", 200, { "cache-control": "max-age=60,, PRIVATE" }, false],
    ["no-store", 200, { "cache-control": "no-store" }, false],
    ["no-store and public", 200, { "cache-control": "public, max-age=60, no-store" }, false],
    ["No-Store in capitals", 200, { "cache-control": "No-Store" }, false],
    ["no-cache", 200, { "cache-control": "no-cache" }, false],
    ["a cookie", 200, { ...PUBLIC, "set-cookie": "session=1" }, false],
    [
      "a cookie, and that it is public",
      200,
      { "cache-control": "public, s-maxage=60", "set-cookie": "session=1" },
      false,
    ],
    ["Vary: *", 200, { ...PUBLIC, vary: "*" }, false],
    ["Vary: * among others", 200, { ...PUBLIC, vary: "accept, *" }, false],
    ["206", 206, { ...PUBLIC, "content-range": "bytes 0-7/100" }, false],
  ];
  it.each(rows)("%s", async (_, status, fields, shared) => {
    expect(await isShared(fresh("cached", status, fields))).toBe(shared);
  });

  it.each([
    [{ "cache-control": "max-age=0" }, true],
    [{ "cache-control": "private" }, false],
    [{ "cache-control": "no-store" }, false],
    [{ ...PUBLIC, "set-cookie": "session=1" }, false],
    [{ ...PUBLIC, vary: "*" }, false],
  ] as [Fields, boolean][])(
    "a policy that overrides does not override what is private: %j",
    async (fields, shared) => {
      expect(await isShared(fresh("forced", 200, fields))).toBe(shared);
    },
  );

  it("private is not shared in any spelling of its field", async () => {
    const path = `/cached/${++made}`;
    let answers = 0;
    ground.origins.origin.on(path, (_, response) => {
      response.setHeader("cache-control", ["max-age=60", "private"]).end(`answer ${++answers}`);
    });
    expect(await isShared(path)).toBe(false);
  });

  it("Vary tells requests apart", async () => {
    const path = fresh("cached", 200, { ...PUBLIC, vary: "Accept-Language" });
    const [english, german, again] = await bodies([
      [`GET ${path}`, "Accept-Language: en"],
      [`GET ${path}`, "Accept-Language: de"],
      [`GET ${path}`, "Accept-Language: en"],
    ]);
    expect(german).not.toBe(english);
    expect(again).toBe(english);
  });
});

describe("S19: a request with Authorization that the gateway knows nothing of", () => {
  const ann = ["Authorization: Basic YW5uOmE="];
  const rows: [string, Fields, boolean][] = [
    ["max-age", PUBLIC, false],
    ["nothing", {}, false],
    ["public", { "cache-control": "public, max-age=60" }, true],
    ["s-maxage", { "cache-control": "s-maxage=60" }, true],
    ["must-revalidate", { "cache-control": "max-age=60, must-revalidate" }, true],
  ];
  it.each(rows)("shares its answer where the origin says so: %s", async (_, fields, shared) => {
    expect(await isShared(fresh("cached", 200, fields), ann)).toBe(shared);
    expect(await isShared(fresh("cached", 200, fields), ann, ["Authorization: Basic Ym9iOmI="])).toBe(shared);
  });
});

describe("S19: methods", () => {
  it.each(["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])(
    "%s is neither stored nor answered from the store",
    async (method) => {
      const path = fresh("cached", 200, { "cache-control": "public, max-age=60" });
      const [first, second, got, again, third] = await bodies([
        [`${method} ${path}`],
        [`${method} ${path}`],
        [`GET ${path}`],
        [`GET ${path}`],
        [`${method} ${path}`],
      ]);
      expect(new Set([first, second, got, third]).size).toBe(4);
      expect(again).toBe(got);
    },
  );
});

describe("S19: callers that the gateway knows", () => {
  const of = (sub: string): string =>
    `Authorization: Bearer ${compact({ alg: "HS256" }, { iss: "jobs", aud: "shop", sub, exp: now() + 300 }, hs256(SECRET))}`;

  it.each(["own", "passed", "maybe"])(
    "get what was made for them, and never what was for another: %s",
    async (prefix) => {
      const path = fresh(prefix, 200, { "cache-control": "public, max-age=60" });
      const [ann, bob, annAgain, bobAgain] = await bodies([
        [`GET ${path}`, of("ann")],
        [`GET ${path}`, of("bob")],
        [`GET ${path}`, of("ann")],
        [`GET ${path}`, of("bob")],
      ]);
      expect(bob).not.toBe(ann);
      expect([annAgain, bobAgain]).toEqual([ann, bob]);
    },
  );

  it("share it where the policy says so", async () => {
    expect(await isShared(fresh("all", 200, PUBLIC), [of("ann")], [of("bob")])).toBe(true);
  });

  it("share nothing with those whom nobody knows", async () => {
    expect(await isShared(fresh("maybe", 200, PUBLIC), [of("ann")])).toBe(false);
    expect(await isShared(fresh("maybe", 200, PUBLIC), [], [of("ann")])).toBe(false);
    expect(await isShared(fresh("maybe", 200, PUBLIC))).toBe(true);
  });

  it("are asked who they are before anything is taken from the store", async () => {
    for (const prefix of ["own", "all"]) {
      const path = fresh(prefix, 200, { "cache-control": "public, max-age=60" });
      await bodies([[`GET ${path}`, of("ann")]]);
      const { answer, heard } = await ground.request(`GET ${path}`);
      expect([statusOf(answer), heard]).toEqual(["401 credential-missing", []]);
    }
  });
});

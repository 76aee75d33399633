import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Stage, startStage } from "../e2e/stage.ts";
import { until } from "../e2e/until.ts";
import { ask, requestText } from "../e2e/wire.ts";
import type { Served } from "../support/served.ts";
import { HOST, serveText, statusOf, textOf, upstream } from "./support.ts";

// S22: a purge leaves no variant behind, nor what was on its way. S29: and only who may purge does.

const VARS = {
  CONTROL_TOKEN: "control-token-of-the-tests",
  PURGE_TOKEN: "purge-token-of-the-tests",
  SIGNING_SECRET: "a secret of thirty-two bytes and more",
};
const TOKEN = `Authorization: Bearer ${VARS.PURGE_TOKEN}`;
const LANGUAGES = ["de", "en", "fr"];
const QUERIES = ["", "?page=1", "?page=2"];

let stage: Stage;
let gateway: Served;
/** What the origin holds now. */
let version = 0;
/** Whether it answers; else what it was asked stands here, with the head sent or not. */
let holds: "nothing" | "answers" | "bodies" = "nothing";
let held: (() => void)[] = [];

const policies = (control: string): string => `
gateway: { name: purged, hosts: { public: ${HOST} }, clientIp: connection, ${control} }
upstreams: { stage: ${upstream(stage.url)} }
apis:
  shop:
    public: true
    upstream: stage
    policies: { cache: { ttl: 10m, staleWhileRevalidate: 10m, staleIfError: 10m, tags: ["item:{params.id}"] } }
    routes:
      item: { match: { path: "/items/{id}", methods: [GET] } }
      write: { match: { path: "/writes/{id}", methods: [POST] }, policies: { cache: none, purge: { tags: ["item:{params.id}"] } } }
`;

const OPEN = "control: { token: { env: CONTROL_TOKEN }, purgeToken: { env: PURGE_TOKEN } }";

beforeAll(async () => {
  stage = await startStage();
  stage.on("/items/1", (_, response) => answer(response));
  gateway = await serveText(policies(OPEN), VARS);
});
afterAll(async () => {
  expect(await gateway.stop()).toBe(0);
  await stage.stop();
});
beforeEach(async () => {
  holds = "nothing";
  held = [];
  expect(await purge({ everything: true })).toBe("200");
});

/** Answers with what the origin held when it was asked. */
const answer = (response: ServerResponse): void => {
  const body = `version ${version}`;
  response.writeHead(200, { vary: "accept-language", "content-length": body.length });
  if (holds === "nothing") return void response.end(body);
  const sent = holds === "bodies" ? 3 : 0;
  if (sent > 0) response.write(body.slice(0, sent));
  held.push(() => response.end(body.slice(sent)));
};

const read = async (language: string, query: string): Promise<number> => {
  const fields = [`Accept-Language: ${language}`];
  const { status, body } = await ask(gateway.port, textOf(`GET /items/1${query}`, fields));
  expect(status).toBe(200);
  return Number(body.toString().slice(8));
};

const all = (): Promise<number[]> =>
  Promise.all(LANGUAGES.flatMap((language) => QUERIES.map((query) => read(language, query))));

const purge = async (wanted: object, fields: readonly string[] = [TOKEN]): Promise<string> => {
  const text = JSON.stringify(wanted);
  return statusOf(await ask(gateway.port, textOf("POST /__postern/purge", fields, text)));
};

const WAYS: readonly [string, () => Promise<string>][] = [
  ["tag", () => purge({ tags: ["item:1"] })],
  ["URL", () => purge({ urls: [`http://${HOST}/items/1`] })],
  ["prefix", () => purge({ prefixes: [`http://${HOST}/items`] })],
  ["everything", () => purge({ everything: true })],
  ["policy", async () => statusOf(await ask(gateway.port, textOf("POST /writes/1")))],
];

describe.each(WAYS)("a purge by %s (S22)", (_, purgeIt) => {
  it("takes every variant away that is stored, and nothing stale of it is used", async () => {
    await all();
    const before = version;
    version++;
    // The control: what is stored is used.
    expect(new Set(await all()).has(before)).toBe(true);
    expect(await purgeIt()).toMatch(/^20[01]$/);
    expect(await all()).toEqual(Array(9).fill(version));
    expect(await all()).toEqual(Array(9).fill(version));
  });

  it.each(["answers", "bodies"] as const)(
    "leaves nothing behind of what was asked for before it, when its %s come after it",
    async (what) => {
      holds = what;
      const early = all();
      await until("the origin was asked for each", () => held.length === 9);
      version++;
      expect(await purgeIt()).toMatch(/^20[01]$/);
      holds = "nothing";
      // Who comes after the purge does not wait for what was asked for before it.
      expect(await all()).toEqual(Array(9).fill(version));
      for (const release of held) release();
      expect(await early).toEqual(Array(9).fill(version - 1));
      expect(await all()).toEqual(Array(9).fill(version));
    },
  );

  it("counts for whoever asks after it, however many ask while it comes", async () => {
    let isOver = false;
    let reads = 0;
    let settled = version;
    const old: string[] = [];
    await purgeIt();
    const reading = Array.from({ length: 8 }, async (_unused, reader) => {
      while (!isOver) {
        const least = settled;
        const got = await read(LANGUAGES[reader % 3]!, QUERIES[reader % 2]!);
        if (got < least) old.push(`${got} after ${least}`);
        reads++;
      }
    });
    for (let round = 0; round < 60; round++) {
      version++;
      const now = version;
      expect(await purgeIt()).toMatch(/^20[01]$/);
      settled = now;
      await new Promise((resolve) => setTimeout(resolve, round % 4));
    }
    isOver = true;
    await Promise.all(reading);
    expect([old, reads > 60]).toEqual([[], true]);
  });
});

describe("the purge route (S29)", () => {
  const FIELDS: readonly (readonly string[])[] = [
    [],
    [`Authorization: Bearer ${VARS.CONTROL_TOKEN}`],
    ["Authorization: Bearer "],
    ["Authorization: Bearer undefined"],
    [`Authorization: ${VARS.PURGE_TOKEN}`],
    [`Authorization: Basic ${VARS.PURGE_TOKEN}`],
    [`${TOKEN}x`],
    [TOKEN.slice(0, -1)],
    [TOKEN, TOKEN],
    [TOKEN, "Authorization: Bearer x"],
    [`X-Authorization: Bearer ${VARS.PURGE_TOKEN}`],
    [`Cookie: token=${VARS.PURGE_TOKEN}`],
  ];
  const post = (line: string, fields: readonly string[]) =>
    ask(gateway.port, textOf(`POST ${line}`, fields, '{"everything":true}'));

  it("is closed to everybody without its token, who learns no more than where nothing is", async () => {
    await all();
    const before = version++;
    for (const fields of FIELDS) {
      const refused = await post(`/__postern/purge?token=${VARS.PURGE_TOKEN}`, fields);
      const nothing = await post("/__postern/nothing", fields);
      expect([statusOf(refused), refused.fields.map(([name]) => name)]).toEqual([
        statusOf(nothing),
        nothing.fields.map(([name]) => name),
      ]);
    }
    expect(await all()).toEqual(Array(9).fill(before));
    expect(await purge({ everything: true })).toBe("200");
    expect(await all()).toEqual(Array(9).fill(version));
  });

  it.each(["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])("purges by no %s", async (method) => {
    await all();
    const before = version++;
    await ask(
      gateway.port,
      textOf(`${method} /__postern/purge`, [TOKEN], method === "PUT" ? '{"everything":true}' : ""),
    );
    expect(await all()).toEqual(Array(9).fill(before));
  });

  it("has a token that shows nothing", async () => {
    for (const path of ["/__postern/plan", "/__postern/metrics"]) {
      const answer = await ask(gateway.port, textOf(`GET ${path}`, [TOKEN]));
      expect([answer.status, answer.body.toString()]).toEqual([
        404,
        expect.not.stringMatching(/"steps"|# TYPE/),
      ]);
    }
    const plan = await ask(
      gateway.port,
      textOf("GET /__postern/plan", [`Authorization: Bearer ${VARS.CONTROL_TOKEN}`]),
    );
    expect(plan.status).toBe(200);
    for (const secret of Object.values(VARS)) expect(plan.body.toString()).not.toContain(secret);
  });

  it("is not there where nobody opened it, whatever else is open", async () => {
    const other = await serveText(policies("control: { token: { env: CONTROL_TOKEN } }"), VARS);
    for (const fields of [
      [TOKEN],
      [`Authorization: Bearer ${VARS.CONTROL_TOKEN}`],
      ["Authorization: Bearer undefined"],
    ]) {
      const text = requestText(
        "POST /__postern/purge",
        [...fields, "Connection: close", "Content-Length: 0"],
        "",
        HOST,
      );
      expect(statusOf(await ask(other.port, text))).toBe("404 no-route");
    }
    await other.stop();
  });

  it("reads no more of a body than it may, and purges nothing by one that it does not understand", async () => {
    await all();
    const before = version++;
    const large = JSON.stringify({ tags: Array(8000).fill("item:1") });
    expect(statusOf(await ask(gateway.port, textOf("POST /__postern/purge", [TOKEN], large)))).toBe(
      "413 body-too-large",
    );
    const chunked = requestText(
      "POST /__postern/purge",
      [TOKEN, "Connection: close", "Transfer-Encoding: chunked"],
      `${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`,
      HOST,
    );
    expect(statusOf(await ask(gateway.port, chunked))).toBe("413 body-too-large");
    for (const wanted of [
      { tags: ["item:1"], more: true },
      { tags: "item:1" },
      { tags: ["item:1", 1] },
      {},
      [],
    ])
      expect(await purge(wanted)).toBe("400 malformed-purge");
    expect(await all()).toEqual(Array(9).fill(before));
  });
});

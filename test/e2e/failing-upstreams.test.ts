import type { Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort, type Served, serve } from "../support/served.ts";
import { openFiles, residentMib, workerdOf } from "./processes.ts";
import { type RawStage, type Stage, startRawStage, startStage } from "./stage.ts";
import { until } from "./until.ts";
import { ask, dial, fieldOf, parseAnswer, problemOf, requestText } from "./wire.ts";

const TIMEOUT_MS = 400;
/** What a test allows beside the timeout: two cores that others use too. */
const GRACE_MS = 1500;
const HEAD = "HTTP/1.1 200 OK\r\n";
const LONG = "y".repeat(4000);

/** Waits for the request's header, then talks. */
const afterRequest =
  (talk: (socket: Socket) => void) =>
  (socket: Socket): void =>
    void socket.once("data", () => talk(socket));

/** Writes a text again and again, one a millisecond, for as long as somebody listens. */
const endless = (socket: Socket, text: string): void => {
  const writing = setInterval(() => socket.write(text), 1);
  socket.once("close", () => clearInterval(writing));
};

/** Bad manners by name: each is an upstream of its own. */
const MANNERS: Readonly<Record<string, (socket: Socket) => void>> = {
  silent: () => {},
  closesAtOnce: (socket) => socket.end(),
  resetsAtOnce: (socket) => void socket.resetAndDestroy(),
  closesAfterRequest: afterRequest((socket) => socket.end()),
  resetsAfterRequest: afterRequest((socket) => void socket.resetAndDestroy()),
  halfStatus: afterRequest((socket) => socket.end("HTTP/1.1 20")),
  halfHeader: afterRequest((socket) => socket.end(`${HEAD}Content-Type: text/pl`)),
  stallsInHeader: afterRequest((socket) => void socket.write(`${HEAD}Content-Type: text/pl`)),
  rubbish: afterRequest((socket) => socket.end("\0\x01\x02 rubbish, and no HTTP \xff\r\n\r\n".repeat(50))),
  otherProtocol: afterRequest((socket) => socket.end("SSH-2.0-OpenSSH_9.2p1\r\n")),
  noStatus: afterRequest((socket) => socket.end("HTTP/1.1\r\nContent-Length: 2\r\n\r\nok")),
  wordStatus: afterRequest((socket) => socket.end("HTTP/1.1 OK OK\r\nContent-Length: 2\r\n\r\nok")),
  endlessHeader: afterRequest((socket) => {
    socket.write(HEAD);
    endless(socket, `X-More: ${LONG}\r\n`);
  }),
  endlessLine: afterRequest((socket) => {
    socket.write(`${HEAD}X-More: `);
    endless(socket, LONG);
  }),
  endlessInterim: afterRequest((socket) => endless(socket, "HTTP/1.1 100 Continue\r\n\r\n")),
  switches: afterRequest((socket) =>
    socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: foo\r\nConnection: upgrade\r\n\r\n"),
  ),
  status600: afterRequest((socket) => socket.end("HTTP/1.1 600 What\r\nContent-Length: 2\r\n\r\nok")),
  status999: afterRequest((socket) => socket.end("HTTP/1.1 999 What\r\nContent-Length: 2\r\n\r\nok")),
  status0: afterRequest((socket) => socket.end("HTTP/1.1 000 What\r\nContent-Length: 2\r\n\r\nok")),
  oddConnection: afterRequest((socket) =>
    socket.end(`${HEAD}Connection: close, @, a b, \xff\r\nContent-Length: 2\r\n\r\nok`),
  ),
  twoLengths: afterRequest((socket) => socket.end(`${HEAD}Content-Length: 2\r\nContent-Length: 5\r\n\r\nok`)),
  badLength: afterRequest((socket) => socket.end(`${HEAD}Content-Length: -5\r\n\r\nok`)),
  cutLength: afterRequest((socket) => socket.end(`${HEAD}Content-Length: 100\r\nETag: "1"\r\n\r\nonly this`)),
  cutChunks: afterRequest((socket) =>
    socket.end(`${HEAD}Transfer-Encoding: chunked\r\nETag: "1"\r\n\r\n9\r\nonly this\r\n`),
  ),
  cutChunk: afterRequest((socket) => socket.end(`${HEAD}Transfer-Encoding: chunked\r\n\r\n64\r\nonly this`)),
  resetBody: afterRequest((socket) =>
    socket.write(`${HEAD}Content-Length: 100\r\n\r\nonly this`, () =>
      setTimeout(() => socket.resetAndDestroy(), 20),
    ),
  ),
  badChunk: afterRequest((socket) =>
    socket.end(`${HEAD}Transfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\nzz\r\nmore\r\n0\r\n\r\n`),
  ),
  stallsInBody: afterRequest((socket) => void socket.write(`${HEAD}Content-Length: 100\r\n\r\nonly this`)),
  tooMuch: (socket) =>
    void socket.on("data", () =>
      socket.write(`${HEAD}Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged`),
    ),
  answersEarly: (socket) =>
    void socket.once("data", () => socket.end(`${HEAD}Content-Length: 5\r\nConnection: close\r\n\r\nearly`)),
  refusesEarly: (socket) =>
    void socket.once("data", () => {
      socket.pause();
      setTimeout(() => socket.resume(), 300);
      socket.write("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig");
    }),
};

const stages = new Map<string, RawStage>();
let healthy: Stage;
let served: Served;

const policies = (down: number): string => {
  const urls = [...stages].map(([name, { url }]) => [name, url] as const);
  const upstreams = [
    ["down", `http://127.0.0.1:${down}`] as const,
    ["healthy", healthy.url] as const,
    ...urls,
  ];
  const routes = (path: string): string =>
    upstreams
      .map(([name]) => `      ${name}: { upstream: ${name}, match: { pathPrefix: /${path}/${name} } }`)
      .join("\n");
  return `
gateway:
  name: failing
  hosts: { public: api.example.com }
  clientIp: connection
upstreams:
${upstreams.map(([name, url]) => `  ${name}: { targets: { only: { url: "${url}", network: private } }, timeout: ${TIMEOUT_MS}ms }`).join("\n")}
apis:
  bare:
    public: true
    routes:
${routes("bare")}
  edited:
    public: true
    policies: { requestId: {}, securityHeaders: {} }
    routes:
${routes("edited")}
  stored:
    public: true
    policies: { requestId: {}, cache: { ttl: 1m, shared: true } }
    routes:
${routes("stored")}
`;
};

beforeAll(async () => {
  healthy = await startStage();
  healthy.on("/bare/healthy", (_request, response) => response.end("well"));
  for (const [name, talk] of Object.entries(MANNERS)) stages.set(name, await startRawStage(talk));
  served = await serve({ files: { "gateway.yaml": policies(await freePort()) } });
});

afterAll(async () => {
  expect(await served.stop()).toBe(0);
  await healthy.stop();
  for (const stage of stages.values()) await stage.stop();
});

const get = (path: string) => ask(served.port, requestText(`GET ${path}`, ["Connection: close"]));

const expectHealthy = async (): Promise<void> => {
  expect((await get("/bare/healthy")).body.toString()).toBe("well");
};

const FAILURES: readonly (readonly [name: string, statuses: readonly number[]])[] = [
  ["down", [502]],
  ["silent", [504]],
  ["closesAtOnce", [502]],
  ["resetsAtOnce", [502]],
  ["closesAfterRequest", [502]],
  ["resetsAfterRequest", [502]],
  ["halfStatus", [502]],
  ["halfHeader", [502]],
  ["stallsInHeader", [504]],
  ["rubbish", [502]],
  ["otherProtocol", [502]],
  ["noStatus", [502]],
  ["wordStatus", [502]],
  ["endlessHeader", [502, 504]],
  ["endlessLine", [502, 504]],
  ["endlessInterim", [502, 504]],
  ["switches", [502]],
  ["status600", [502]],
  ["status999", [502]],
  ["status0", [502]],
  ["twoLengths", [502]],
  ["badLength", [502]],
];

describe.each(["bare", "edited", "stored"])("on a route of %s answers", (api) => {
  it.each(FAILURES)(
    "an upstream that is %s is answered for with a problem, in time",
    async (name, statuses) => {
      const begun = Date.now();
      const answer = await get(`/${api}/${name}`);
      expect(Date.now() - begun).toBeLessThan(TIMEOUT_MS + GRACE_MS);
      expect(statuses).toContain(answer.status);
      expect(fieldOf(answer, "content-type")).toBe("application/problem+json");
      expect(fieldOf(answer, "cache-control")).toBe("no-store");
      const code = answer.status === 504 ? "upstream-timeout" : "upstream-failed";
      expect(fieldOf(answer, "proxy-status")).toMatch(
        new RegExp(`^postern; error=[a-z_]+; details="${code}"$`),
      );
      expect(problemOf(answer)).toMatchObject({
        status: answer.status,
        code,
        instance: expect.stringMatching(/^urn:uuid:/),
      });
      const stage = stages.get(name);
      await until("the end of the upstream's connection", () => (stage?.connections() ?? 0) === 0, 2000);
    },
  );

  it.each(["cutLength", "cutChunks", "cutChunk", "resetBody", "badChunk"])(
    "an answer that breaks off is no whole one for the client either: %s",
    async (name) => {
      for (let time = 0; time < 2; time++) {
        const answer = await get(`/${api}/${name}`);
        if (answer.status === 502)
          expect(problemOf(answer)).toMatchObject({ status: 502, code: expect.stringMatching(/^upstream-/) });
        else {
          expect(answer).toMatchObject({ status: 200, complete: false });
          expect("only this".startsWith(answer.body.toString())).toBe(true);
        }
      }
    },
  );

  it("an answer that breaks off is not whole for the next one either, and the upstream is asked again", async () => {
    const before = stages.get("cutChunks")!.accepted();
    for (let time = 0; time < 3; time++) expect((await get(`/${api}/cutChunks/again`)).complete).toBe(false);
    expect(stages.get("cutChunks")!.accepted() - before).toBe(3);
  });

  it("a Connection field with members that are no names does no harm", async () => {
    const answer = await get(`/${api}/oddConnection`);
    expect([answer.status, answer.body.toString()]).toEqual([200, "ok"]);
  });

  it("bytes behind an answer are nobody's answer", async () => {
    for (let time = 0; time < 4; time++) {
      const answer = await get(`/${api}/tooMuch/${time}`);
      expect([200, 502]).toContain(answer.status);
      expect(answer.body.toString("latin1")).not.toContain("forged");
      if (answer.status === 200) expect(answer.body.toString()).toBe("ok");
    }
  });
});

describe("an upstream that answers before it has read the body", () => {
  it.each([
    ["answersEarly", 200, "early"],
    ["refusesEarly", 413, "big"],
  ])(
    "%s: the client gets that answer while it still sends, and nothing hangs",
    async (name, status, body) => {
      const begun = Date.now();
      const wire = await dial(served.port);
      wire.send(requestText(`POST /bare/${name}`, ["Content-Length: 50000000"]));
      const answer = await wire.answer("POST");
      expect(answer.status).toBe(status);
      expect(answer.body.toString()).toBe(body);
      expect(Date.now() - begun).toBeLessThan(TIMEOUT_MS + GRACE_MS);
      wire.send(Buffer.alloc(1_000_000));
      wire.socket.destroy();
      await expectHealthy();
    },
  );
});

describe("an upstream that stalls in the middle of a body", () => {
  it("does not end the answer, and what came of it has arrived", async () => {
    const wire = await dial(served.port);
    wire.send(requestText("GET /bare/stallsInBody"));
    await until("what came of the body", () => wire.bytes().includes("only this"));
    await expectHealthy();
    expect(parseAnswer(wire.bytes(), "GET", wire.closed())).toMatchObject({ status: 200, complete: false });
    wire.socket.resetAndDestroy();
    await until(
      "the end of the upstream's connection",
      () => stages.get("stallsInBody")!.connections() === 0,
    );
  });
});

describe("an upstream that redirects to itself for ever", () => {
  it("is asked once", async () => {
    healthy.on("/bare/healthy/again", (_request, response) => {
      response.writeHead(302, { location: "/bare/healthy/again" });
      response.end();
    });
    const before = healthy.asked.length;
    const answer = await get("/bare/healthy/again");
    expect([answer.status, fieldOf(answer, "location")]).toEqual([302, "/bare/healthy/again"]);
    expect(healthy.asked.length - before).toBe(1);
  });
});

describe("failures of some", () => {
  it("do not keep others waiting", async () => {
    const silent = Array.from({ length: 40 }, () => get("/bare/silent"));
    await until("all of them waiting", () => stages.get("silent")!.connections() >= 40);
    const begun = Date.now();
    for (let index = 0; index < 20; index++) await expectHealthy();
    expect(Date.now() - begun).toBeLessThan(TIMEOUT_MS);
    expect((await Promise.all(silent)).map(({ status }) => status)).toEqual(silent.map(() => 504));
    await until("the end of their connections", () => stages.get("silent")!.connections() === 0, 2000);
  });

  it("leave nothing behind: after hundreds of them neither files nor memory have grown", async () => {
    const pid = workerdOf(served.process.pid!);
    const names = [
      "down",
      "closesAtOnce",
      "rubbish",
      "halfHeader",
      "cutLength",
      "cutChunks",
      "silent",
      "resetsAfterRequest",
      "endlessHeader",
      "refusesEarly",
    ];
    const round = async (): Promise<void> => {
      await Promise.all(names.flatMap((name) => [1, 2, 3, 4].map(() => get(`/edited/${name}`))));
    };
    for (let index = 0; index < 2; index++) await round();
    await until(
      "the end of all connections",
      () => [...stages.values()].every((stage) => stage.connections() === 0),
      5000,
    );
    const files = openFiles(pid);
    const memory = residentMib(pid);
    for (let index = 0; index < 5; index++) await round();
    await until("as many files as before", () => openFiles(pid) <= files, 5000);
    expect(residentMib(pid)).toBeLessThan(memory + 24);
    await expectHealthy();
  });
});

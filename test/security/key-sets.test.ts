import { generateKeyPairSync, type KeyObject } from "node:crypto";
import type { ServerResponse } from "node:http";
import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Stage, startStage } from "../e2e/stage.ts";
import { until } from "../e2e/until.ts";
import { ask, fieldOf, requestText } from "../e2e/wire.ts";
import type { Served } from "../support/served.ts";
import { compact, es256, HOST, now, serveText, statusOf, textOf, upstream } from "./support.ts";

// S14, and of S15 the key that goes: an issuer's key set over HTTP that fails, changes, floods and lies. The clock of workerd
// cannot be moved, so that the settings are short: maxAge 1 s stands for ten minutes, an outage of 3 s for half an hour.

interface Key {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly jwk: object;
}
const makeKey = (kid: string): Key => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { kid, privateKey, jwk: { ...publicKey.export({ format: "jwk" }), kid } };
};

const policies = (origin: string, issuer: string): string => {
  const entry = (name: string, times: string): string =>
    `  ${name}: { issuer: ${name}, audiences: [shop], algorithms: [ES256], jwks: { url: "${issuer}/${name}", ${times} } }`;
  return `
gateway: { name: keys, hosts: { public: ${HOST} }, clientIp: connection }
issuers:
${[
  entry("flooded", "maxAge: 1h, cooldown: 1s"),
  entry("away", "maxAge: 1s, cooldown: 200ms"),
  entry("rotating", "maxAge: 1h, cooldown: 1h"),
  entry("withdrawing", "maxAge: 1s, cooldown: 200ms"),
  ...["moved", "huge", "failing", "html", "private", "empty"].map((name) =>
    entry(name, "maxAge: 1h, cooldown: 200ms"),
  ),
].join("\n")}
upstreams: { origin: ${upstream(origin)} }
apis:
  keys: { upstream: origin, policies: { jwt: {} }, routes: { all: { match: { path: /a } } } }
`;
};

let origin: Stage;
let issuer: Stage;
let gateway: Served;

beforeAll(async () => {
  [origin, issuer] = [await startStage(), await startStage()];
  gateway = await serveText(policies(origin.url, issuer.url));
});
afterAll(async () => {
  await gateway?.stop();
  await Promise.all([origin.stop(), issuer.stop()]);
});
afterEach(() => {
  expect(gateway.process.exitCode).toBe(null);
});

/** The issuer of a name answers with these keys from now on. */
const publish = (name: string, keys: readonly object[]): void =>
  issuer.on(`/${name}`, (_, response) => void response.end(JSON.stringify({ keys })));
const fetches = (name: string): number => issuer.asked.filter((line) => line === `GET /${name}`).length;

let made = 0;
/** A token that no other equals, so that no remembered one hides the key set. */
const tokenOf = (iss: string, { kid, privateKey }: Key): string =>
  compact(
    { alg: "ES256", kid },
    { iss, aud: "shop", sub: "ann", exp: now() + 300, jti: ++made },
    es256(privateKey),
  );

const present = async (token: string): Promise<string> => {
  const answer = await ask(gateway.port, textOf("GET /a", [`Authorization: Bearer ${token}`]));
  if (answer.status === 503) expect(Number(fieldOf(answer, "retry-after"))).toBeGreaterThanOrEqual(1);
  return statusOf(answer);
};

/** Sends requests behind each other on one connection, which the last one closes, and answers the statuses in their order. */
const pipeline = (texts: readonly string[]): Promise<number[]> =>
  new Promise((resolve, reject) => {
    const socket = connect(gateway.port, "127.0.0.1");
    let text = "";
    socket.setEncoding("latin1").on("data", (data: string) => (text += data));
    socket.once("error", reject).once("end", () => {
      resolve([...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status)));
    });
    socket.write(texts.join(""));
  });

describe("S14: a flood of unknown keys", () => {
  it("causes one fetch a cooldown at the most, and known keys are served meanwhile", async () => {
    const key = makeKey("known");
    publish("flooded", [key.jwk]);
    expect(await present(tokenOf("flooded", key))).toBe("200");
    expect(fetches("flooded")).toBe(1);

    const unsigned = Buffer.alloc(64, 1).toString("base64url");
    const claims = tokenOf("flooded", key).split(".")[1]!;
    const unknown = (number: number): string => {
      const header = Buffer.from(JSON.stringify({ alg: "ES256", kid: `unknown-${number}` })).toString(
        "base64url",
      );
      const connection = number % 1000 === 999 ? "close" : "keep-alive";
      return requestText("GET /a", [
        `Connection: ${connection}`,
        `Authorization: Bearer ${header}.${claims}.${unsigned}`,
      ]);
    };
    const startedAtMs = Date.now();
    let flooding = true;
    const flood = Promise.all(
      Array.from({ length: 10 }, (_, connection) =>
        pipeline(Array.from({ length: 1000 }, (_, number) => unknown(connection * 1000 + number))),
      ),
    ).finally(() => {
      flooding = false;
    });
    const served: string[] = [];
    while (flooding) served.push(await present(tokenOf("flooded", key)));
    const statuses = (await flood).flat();
    const cooldowns = Math.ceil((Date.now() - startedAtMs) / 1000);

    expect(statuses).toHaveLength(10_000);
    expect(new Set(statuses)).toEqual(new Set([401]));
    expect(new Set(served)).toEqual(new Set(["200"]));
    expect(fetches("flooded") - 1).toBeGreaterThanOrEqual(1);
    expect(fetches("flooded") - 1).toBeLessThanOrEqual(cooldowns);
  });
});

describe("S14: an issuer that is away", () => {
  it("keeps its known keys good and opens to no other; it is asked once a cooldown, and comes back by itself", async () => {
    const [key, stranger, next] = [makeKey("a1"), makeKey("a1"), makeKey("a2")];
    publish("away", [key.jwk]);
    expect(await present(tokenOf("away", key))).toBe("200");
    const remembered = tokenOf("away", key);
    expect(await present(remembered)).toBe("200");

    issuer.on("/away", (_, response) => void response.writeHead(503).end());
    const awayAtMs = Date.now();
    const before = fetches("away");
    const outcomes = { known: new Set<string>(), unknown: new Set<string>(), forged: new Set<string>() };
    while (Date.now() - awayAtMs < 3000) {
      outcomes.known.add(await present(tokenOf("away", key)));
      outcomes.known.add(await present(remembered));
      outcomes.unknown.add(await present(tokenOf("away", next)));
      outcomes.forged.add(await present(tokenOf("away", stranger)));
    }
    expect([...outcomes.known]).toEqual(["200"]);
    for (const outcome of outcomes.unknown)
      expect(outcome).toMatch(/^(401 token-signature|503 issuer-unavailable)$/);
    expect([...outcomes.forged]).toEqual(["401 token-signature"]);
    const asked = fetches("away") - before;
    expect(asked).toBeGreaterThanOrEqual(2);
    expect(asked).toBeLessThanOrEqual(1 + Math.ceil((Date.now() - awayAtMs) / 200));

    publish("away", [key.jwk, next.jwk]);
    await until("the new key", async () => (await present(tokenOf("away", next))) === "200", 3000);
    expect(await present(tokenOf("away", key))).toBe("200");
  });

  it("before any key was known lets nobody in", async () => {
    const key = makeKey("f1");
    issuer.on("/failing", (_, response) => void response.writeHead(500).end());
    for (let time = 0; time < 3; time++)
      expect(await present(tokenOf("failing", key))).toBe("503 issuer-unavailable");
    expect(fetches("failing")).toBe(1);
    publish("failing", [key.jwk]);
    await until("its keys", async () => (await present(tokenOf("failing", key))) === "200", 3000);
  });
});

describe("S14: an answer that is no key set", () => {
  const key = makeKey("k1");
  const whole = (): string => JSON.stringify({ keys: [key.jwk] });
  const answers: [string, string, (response: ServerResponse) => void, string][] = [
    [
      "redirects to one",
      "moved",
      (response) => void response.writeHead(302, { location: "/elsewhere" }).end(whole()),
      "503 issuer-unavailable",
    ],
    [
      "is a megabyte",
      "huge",
      (response) => void response.end(JSON.stringify({ pad: "x".repeat(1 << 20), keys: [key.jwk] })),
      "503 issuer-unavailable",
    ],
    [
      "is a page",
      "html",
      (response) => void response.end(`<html>${whole()}</html>`),
      "503 issuer-unavailable",
    ],
    [
      "mixes in a secret",
      "private",
      (response) => void response.end(JSON.stringify({ keys: [key.jwk, { kty: "oct", k: "c2VjcmV0" }] })),
      "503 issuer-unavailable",
    ],
    ["holds none", "empty", (response) => void response.end('{"keys":[]}'), "401 token-signature"],
  ];
  it.each(answers)("and %s is refused; one that is a key set is taken", async (_, name, answer, expected) => {
    issuer.on(`/${name}`, (_request, response) => answer(response));
    publish("elsewhere", [key.jwk]);
    expect(await present(tokenOf(name, key))).toBe(expected);
    expect(issuer.asked).not.toContain("GET /elsewhere");
    publish(name, [key.jwk]);
    await until("the key", async () => (await present(tokenOf(name, key))) === "200", 3000);
  });
});

describe("S14: a key that is rotated under load", () => {
  it("costs no valid token its answer after the first fetch, though the cooldown is an hour", async () => {
    let key = makeKey("g0");
    publish("rotating", [key.jwk]);
    expect(await present(tokenOf("rotating", key))).toBe("200");
    const outcomes: string[] = [];
    let running = true;
    const callers = Array.from({ length: 8 }, async () => {
      while (running) outcomes.push(await present(tokenOf("rotating", key)));
    });
    for (let generation = 1; generation <= 4; generation++) {
      const [before, next] = [key, makeKey(`g${generation}`)];
      publish("rotating", [before.jwk, next.jwk]);
      key = next;
      const reached = outcomes.length + 100;
      await until("a hundred answers", () => outcomes.length >= reached);
    }
    running = false;
    await Promise.all(callers);
    expect([...new Set(outcomes)]).toEqual(["200"]);
    expect(outcomes.length).toBeGreaterThanOrEqual(400);
    expect(fetches("rotating")).toBe(5);
  });
});

describe("S15: a key that is withdrawn", () => {
  it("takes the tokens along that it verified", async () => {
    const [gone, kept] = [makeKey("w1"), makeKey("w2")];
    publish("withdrawing", [gone.jwk, kept.jwk]);
    const [lost, safe] = [tokenOf("withdrawing", gone), tokenOf("withdrawing", kept)];
    for (const token of [lost, lost, safe, safe]) expect(await present(token)).toBe("200");
    publish("withdrawing", [kept.jwk]);
    await until("the end of the key", async () => (await present(lost)) !== "200", 5000);
    expect(await present(lost)).toBe("401 token-signature");
    expect(await present(tokenOf("withdrawing", gone))).toBe("401 token-signature");
    expect(await present(safe)).toBe("200");
  });
});

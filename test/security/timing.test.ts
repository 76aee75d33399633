import { createHash, createHmac, randomInt } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAnswer, requestText } from "../e2e/wire.ts";
import { compact, type Ground, HOST, hs256, now, startGround, statusOf, upstream } from "./support.ts";

// S18: how long a refusal takes tells nothing of how near a guess was, nor of who exists. Two kinds of wrong requests are sent
// in random order over one connection: 10,000 where the question is who exists, 4,000 where it is how near a guess was.
// If their times are drawn from one distribution, a time of the one kind is the longer one in half of all pairs; the deviation
// of that share is then below 0.01, so that 0.05 is beyond chance, while a difference of a few microseconds shows: the last test
// is the measure of the measure.

const WHO = 5000;
const NEAR = 2000;
const MOST = 0.05;
/** The first ones warm up what everything runs on. */
const WARM_UP = 400;
const SECRET = "a secret of thirty-two bytes and more";
const API_KEY = "0123456789abcdef0123456789abcdef0123456789abcdef";
const digest = createHash("sha256").update(API_KEY).digest("hex");

const policies = (urls: Record<"origin", string>): string => `
gateway: { name: timing, hosts: { public: ${HOST} }, clientIp: connection }
issuers: { jobs: { issuer: jobs, audiences: [shop], algorithms: [HS256], secret: { env: SECRET } } }
consumers: { acme: { keys: [{ id: k1, sha256: "${digest}" }] } }
upstreams: { origin: ${upstream(urls.origin)} }
apis:
  all:
    upstream: origin
    routes:
      key: { match: { path: /key }, policies: { apiKey: {} } }
      basic: { match: { path: /basic }, policies: { basicAuth: {} } }
      token: { match: { path: /token }, policies: { jwt: {} } }
      hook: { match: { path: /hook }, policies: { hmac: { scheme: github, secrets: [{ env: SECRET }] } } }
      signed: { match: { path: /signed }, policies: { hmac: { scheme: rfc9421, secrets: [{ env: SECRET, id: k1, consumer: acme }] } } }
`;

let ground: Ground<"origin">;
beforeAll(async () => {
  ground = await startGround(["origin"], policies, { SECRET });
});
afterAll(() => ground?.stop());

/** Sends one request and answers after how many microseconds the answer began, and its status. */
const time = (socket: Socket, text: string): Promise<{ us: number; status: string }> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let us: number | undefined;
    const read = (chunk: Buffer): void => {
      us ??= Number(process.hrtime.bigint() - startedNs) / 1000;
      chunks.push(chunk);
      const answer = parseAnswer(Buffer.concat(chunks), "GET", false);
      if (answer?.complete !== true) return;
      socket.off("data", read).off("close", reject);
      resolve({ us, status: statusOf(answer) });
    };
    socket.on("data", read).once("close", reject);
    const startedNs = process.hrtime.bigint();
    socket.write(text);
  });

/** The requests of a kind: each a function, so that no two need be alike. */
type Kind = () => string;

interface Comparison {
  /** By how much the share of pairs in which the first kind took longer differs from a half. */
  readonly bias: number;
  readonly statuses: ReadonlySet<string>;
}

const compare = async (kinds: readonly [Kind, Kind], samples: number): Promise<Comparison> => {
  const socket = connect(ground.gateway.port, "127.0.0.1").setNoDelay(true);
  await new Promise((resolve) => socket.once("connect", resolve));
  const times: [number[], number[]] = [[], []];
  const statuses = new Set<string>();
  // Made before the clock runs: what it costs to make a request must not be measured with it.
  const plan = Array.from({ length: samples * 2 + WARM_UP }, () => {
    const which = randomInt(2) as 0 | 1;
    return { which, text: kinds[which]() };
  });
  for (const [number, { which, text }] of plan.entries()) {
    const { us, status } = await time(socket, text);
    statuses.add(status);
    if (number >= WARM_UP) times[which].push(us);
  }
  socket.destroy();
  return { bias: biasOf(times), statuses };
};

/** The share of pairs by the sum of ranks (Mann and Whitney): outliers and drift weigh no more than any other sample. */
const biasOf = ([one, other]: readonly [readonly number[], readonly number[]]): number => {
  const ranked = [...one.map((us) => [us, 1] as const), ...other.map((us) => [us, 0] as const)].sort(
    ([a], [b]) => a - b,
  );
  const sum = ranked.reduce((total, [, isOne], rank) => total + isOne * (rank + 1), 0);
  const share = (sum - (one.length * (one.length + 1)) / 2) / (one.length * other.length);
  return Math.abs(share - 0.5);
};

const get = (path: string, ...fields: string[]): string => requestText(`GET ${path}`, fields);
const letters = (length: number): string =>
  Array.from({ length }, () => "0123456789abcdef"[randomInt(16)]).join("");
const basic =
  (user: string): Kind =>
  () =>
    get("/basic", `Authorization: Basic ${Buffer.from(`${user}:${letters(48)}`).toString("base64")}`);

const token = compact(
  { alg: "HS256" },
  { iss: "jobs", aud: "shop", sub: "ann", exp: now() + 3000 },
  hs256(SECRET),
);
/** The token with its signature changed from a place on. */
const changed =
  (at: number): Kind =>
  () => {
    const start = token.lastIndexOf(".") + 1 + at;
    return get(
      "/token",
      `Authorization: Bearer ${token.slice(0, start)}${letters(42 - at)}${token.slice(-1)}`,
    );
  };

const bodyless = createHmac("sha256", SECRET).update("").digest("hex");
const hook =
  (right: number): Kind =>
  () =>
    get(
      "/hook",
      `X-Hub-Signature-256: sha256=${bodyless.slice(0, right)}${letters(64 - right - 1)}${bodyless.endsWith("0") ? "1" : "0"}`,
    );

const signed =
  (keyid: string): Kind =>
  () => {
    const created = now();
    const parameters = `("@method" "@authority" "@path" "@query");created=${created};keyid="${keyid}"`;
    const signature = Buffer.from(letters(32)).toString("base64");
    return get("/signed", `Signature-Input: sig1=${parameters}`, `Signature: sig1=:${signature}:`);
  };

describe("S18: what is right", () => {
  it("is served", async () => {
    const served = async (path: string, ...fields: string[]): Promise<number> =>
      (await ground.request(`GET ${path}`, fields)).answer.status;
    expect(await served("/key", `X-Api-Key: ${API_KEY}`)).toBe(200);
    expect(await served("/basic", `Authorization: Basic ${btoa(`acme:${API_KEY}`)}`)).toBe(200);
    expect(await served("/token", `Authorization: Bearer ${token}`)).toBe(200);
    expect(await served("/hook", `X-Hub-Signature-256: sha256=${bodyless}`)).toBe(200);
  });
});

describe("S18: no time tells apart", () => {
  const pairs: [string, number, readonly [Kind, Kind], string][] = [
    [
      "a key that nobody has from one that is right but for its end",
      NEAR,
      [
        () => get("/key", `X-Api-Key: ${letters(48)}`),
        () => get("/key", `X-Api-Key: ${API_KEY.slice(0, 40)}${letters(8)}`),
      ],
      "401 key-unknown",
    ],
    ["a user who exists from one who does not", WHO, [basic("acme"), basic("acmf")], "401 key-unknown"],
    [
      "a token's signature that is wrong at its begin from one at its end",
      NEAR,
      [changed(0), changed(38)],
      "401 token-signature",
    ],
    [
      "a message's signature that is wrong at its begin from one at its end",
      NEAR,
      [hook(0), hook(60)],
      "401 signature-invalid",
    ],
    [
      "a key id that is known from one that is not",
      WHO,
      [signed("k1"), signed("k2")],
      "401 signature-invalid",
    ],
  ];
  it.each(pairs)("%s", async (_, samples, kinds, status) => {
    const { bias, statuses } = await compare(kinds, samples);
    expect([...statuses]).toEqual([status]);
    // What the machine does besides may bend one measurement; a difference that is there bends the next one too.
    if (bias >= MOST) expect((await compare(kinds, samples)).bias).toBeLessThan(MOST);
  });

  it("though they do tell a signature that is checked from none", async () => {
    const { bias } = await compare([signed("k1"), () => get("/signed")], 1500);
    expect(bias).toBeGreaterThan(MOST);
  });
});

describe("S18: what no clock behind a socket can show", () => {
  const SOURCE = path.resolve(import.meta.dirname, "../../src");
  const files = globSync(["policies/**/*.ts", "services/**/*.ts", "core/**/*.ts", "control/**/*.ts"], {
    cwd: SOURCE,
  }).map((name) => [name, readFileSync(path.join(SOURCE, name), "utf8")] as const);
  const having = (pattern: RegExp): string[] =>
    files.flatMap(([name, text]) => (pattern.test(text) ? [name] : [])).sort();

  it("nobody who verifies makes the right signature, which comparing would tell letter by letter", () => {
    expect(having(/subtle\s*\.sign\(/)).toEqual([]);
    expect(having(/subtle\s*\.verify\(/)).toEqual([
      "policies/hmac/signing-key.ts",
      "policies/jwt/verify-key.ts",
      "services/http/gateway-signature.ts",
    ]);
  });

  it("nobody compares a secret, a password, a signature or a key as it came", () => {
    const compared =
      /\b(?:secret|password|signature|apiKey|credential|mac)\s*[!=]==(?!\s*(?:undefined|null|["'`\d]))/;
    expect(having(compared)).toEqual([]);
  });
});

import { constants, generateKeyPairSync, type KeyObject, sign as signWith } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fieldOf } from "../e2e/wire.ts";
import {
  compact,
  es256,
  type Ground,
  HOST,
  hs256,
  now,
  rs256,
  type Signer,
  startGround,
  statusOf,
  upstream,
} from "./support.ts";

// S11–S13 and S15: which tokens are believed, on the production bundle, with key sets fetched over HTTP.

const SECRET = "a secret of thirty-two bytes and more";
const LOGIN = "https://login.example.com/";
const RSA = generateKeyPairSync("rsa", { modulusLength: 2048 });
const EC = generateKeyPairSync("ec", { namedCurve: "P-256" });
const OTHER = generateKeyPairSync("ec", { namedCurve: "P-256" });
const EVIL = generateKeyPairSync("rsa", { modulusLength: 2048 });

const jwk = (key: KeyObject, kid: string, members: object = {}): object => ({
  ...key.export({ format: "jwk" }),
  kid,
  ...members,
});

const policies = (urls: Record<"origin" | "issuer", string>): string => `
gateway: { name: tokens, hosts: { public: ${HOST} }, clientIp: connection }
issuers:
  login: { issuer: "${LOGIN}", audiences: [shop, staff], algorithms: [RS256, ES256], jwks: { url: "${urls.issuer}/login.json" } }
  other: { issuer: "https://other.example.com/", audiences: [shop, staff], algorithms: [ES256], jwks: { url: "${urls.issuer}/other.json" } }
  jobs: { issuer: jobs, audiences: [shop], algorithms: [HS256], secret: { env: SECRET } }
  skewed: { issuer: skewed, audiences: [shop], algorithms: [HS256], secret: { env: SECRET }, clockSkew: 30s }
  brief: { issuer: brief, audiences: [shop], algorithms: [HS256], secret: { env: SECRET }, maxLifetime: 1h }
  typed: { issuer: typed, audiences: [shop], algorithms: [HS256], secret: { env: SECRET }, type: at+jwt }
upstreams:
  origin: ${upstream(urls.origin)}
apis:
  tokens:
    upstream: origin
    policies: { jwt: {} }
    routes:
      any: { match: { path: /any } }
      staff: { match: { path: /staff }, policies: { jwt: { issuers: [login], audiences: [staff] } } }
      other: { match: { path: /other }, policies: { jwt: { issuers: [other] } } }
      jobs: { match: { path: /jobs }, policies: { jwt: { issuers: [jobs], forward: { x-user-id: sub } } } }
      writers: { match: { path: /writers }, policies: { jwt: { scopes: { all: [write] } } } }
`;

let ground: Ground<"origin" | "issuer">;

beforeAll(async () => {
  ground = await startGround(["origin", "issuer"], policies, { SECRET });
  const { issuer } = ground.origins;
  const serves = (path: string, keys: readonly object[]): void =>
    issuer.on(path, (_, response) => void response.end(JSON.stringify({ keys })));
  serves("/login.json", [jwk(RSA.publicKey, "r1"), jwk(EC.publicKey, "e1", { alg: "ES256", use: "sig" })]);
  serves("/other.json", [jwk(OTHER.publicKey, "o1")]);
  serves("/evil.json", [jwk(EVIL.publicKey, "r1")]);
});
afterAll(() => ground?.stop());

const good = (over: object = {}): object => ({
  iss: LOGIN,
  aud: "shop",
  sub: "ann",
  exp: now() + 300,
  ...over,
});
const RS = { alg: "RS256", kid: "r1" };
const ES = { alg: "ES256", kid: "e1" };

/** What the gateway says of an Authorization value; the origin hears of those that are served, and no others. */
const judged = async (value: string, target = "/any", fields: readonly string[] = []): Promise<string> => {
  const { answer, heard } = await ground.request(`GET ${target}`, [`Authorization: ${value}`, ...fields]);
  const reached = heard.filter((line) => line.startsWith("origin"));
  expect(reached).toEqual(answer.status === 200 ? [`origin GET ${target}`] : []);
  if (answer.status === 401)
    expect(fieldOf(answer, "www-authenticate")).toMatch(
      /^Bearer realm="tokens"(, error="invalid_token", error_description="[^"]+")?$/,
    );
  return statusOf(answer);
};
const bearer = (token: string, target?: string): Promise<string> => judged(`Bearer ${token}`, target);
const jobs = (claims: object | string, header: object = {}): string =>
  compact({ alg: "HS256", ...header }, claims, hs256(SECRET));

describe("a good token", () => {
  it.each([
    ["RS256", () => compact(RS, good(), rs256(RSA.privateKey))],
    ["ES256", () => compact(ES, good(), es256(EC.privateKey))],
    [
      "ES256 of another issuer",
      () =>
        compact(
          { alg: "ES256", kid: "o1" },
          good({ iss: "https://other.example.com/" }),
          es256(OTHER.privateKey),
        ),
    ],
    ["HS256", () => jobs(good({ iss: "jobs" }))],
  ])("is believed: %s", async (_, token) => {
    expect(await bearer(token())).toBe("200");
  });
});

const none: Signer = () => Buffer.alloc(0);
const pem = RSA.publicKey.export({ type: "spki", format: "pem" }).toString();

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/** The character that differs from another in its last bit alone, which nothing is made of at the end of 32 bytes. */
const unusedBit = (character: string): string => ALPHABET[ALPHABET.indexOf(character) ^ 1]!;

const signedWith =
  (hash: string, options: object = {}): Signer =>
  (input) =>
    signWith(hash, Buffer.from(input), { key: RSA.privateKey, ...options });
const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };

describe("S11: algorithms and keys", () => {
  const secrets: [string, string | Buffer][] = [
    ["the public key in PEM", pem],
    ["PEM without its last line break", pem.trim()],
    ["PKCS #1 in PEM", RSA.publicKey.export({ type: "pkcs1", format: "pem" }).toString()],
    ["the public key in DER", RSA.publicKey.export({ type: "spki", format: "der" })],
    ["PKCS #1 in DER", RSA.publicKey.export({ type: "pkcs1", format: "der" })],
    ["the JWK", JSON.stringify(jwk(RSA.publicKey, "r1"))],
    ["the modulus", Buffer.from(RSA.publicKey.export({ format: "jwk" }).n!, "base64url")],
    ["nothing", ""],
  ];
  it.each(secrets)("HS256 with %s as the secret is refused", async (_, secret) => {
    for (const kid of ["r1", "e1", undefined])
      expect(await bearer(compact({ alg: "HS256", kid }, good(), hs256(secret)))).toBe("401 token-signature");
  });

  const forged: [string, () => string, string][] = [
    ...["none", "None", "NonE", "NONE", "nOnE", ""].map((alg): [string, () => string, string] => [
      `alg "${alg}"`,
      () => compact({ alg, kid: "r1" }, good(), none),
      "401 token-signature",
    ]),
    [
      "alg none with a good signature",
      () => compact({ ...RS, alg: "none" }, good(), rs256(RSA.privateKey)),
      "401 token-signature",
    ],
    ["no alg", () => compact({ kid: "r1" }, good(), rs256(RSA.privateKey)), "401 token-malformed"],
    [
      "an alg that is a list",
      () => compact({ ...RS, alg: ["RS256"] }, good(), rs256(RSA.privateKey)),
      "401 token-malformed",
    ],
    [
      "alg rs256",
      () => compact({ ...RS, alg: "rs256" }, good(), rs256(RSA.privateKey)),
      "401 token-signature",
    ],
    [
      "RS512 of a key without alg, which is not listed",
      () => compact({ ...RS, alg: "RS512" }, good(), signedWith("sha512")),
      "401 token-signature",
    ],
    [
      "PS256 of a key without alg, which is not listed",
      () => compact({ ...RS, alg: "PS256" }, good(), signedWith("sha256", PSS)),
      "401 token-signature",
    ],
    [
      "alg ES256 with an RSA key",
      () => compact({ ...RS, alg: "ES256" }, good(), rs256(RSA.privateKey)),
      "401 token-signature",
    ],
    [
      "alg RS256 with an EC key",
      () => compact({ ...ES, alg: "RS256" }, good(), es256(EC.privateKey)),
      "401 token-signature",
    ],
    [
      "the kid of another issuer",
      () => compact({ alg: "ES256", kid: "o1" }, good(), es256(OTHER.privateKey)),
      "401 token-signature",
    ],
    ["the key of another issuer", () => compact(ES, good(), es256(OTHER.privateKey)), "401 token-signature"],
    [
      "the key of another issuer and no kid",
      () => compact({ alg: "ES256" }, good(), es256(OTHER.privateKey)),
      "401 token-signature",
    ],
    [
      "the issuer of another key",
      () => compact(RS, good({ iss: "https://other.example.com/" }), rs256(RSA.privateKey)),
      "401 token-signature",
    ],
    [
      "a secret of another issuer",
      () => compact({ alg: "HS256" }, good(), hs256(SECRET)),
      "401 token-signature",
    ],
    [
      "a kid that names a file",
      () => compact({ ...RS, kid: "../../dev/null" }, good(), hs256("")),
      "401 token-signature",
    ],
    [
      "a kid of another type",
      () => compact({ ...RS, kid: 1 }, good(), rs256(RSA.privateKey)),
      "401 token-malformed",
    ],
    ["no signature", () => compact(RS, good(), none), "401 token-signature"],
    ["a signature of zeros", () => compact(ES, good(), () => Buffer.alloc(64)), "401 token-signature"],
    [
      "crit that nobody knows",
      () => compact({ ...RS, crit: ["x"], x: 1 }, good(), rs256(RSA.privateKey)),
      "401 token-malformed",
    ],
    [
      "crit of exp",
      () => compact({ ...RS, crit: ["exp"], exp: now() + 9 }, good(), rs256(RSA.privateKey)),
      "401 token-malformed",
    ],
    [
      "an empty crit",
      () => compact({ ...RS, crit: [] }, good(), rs256(RSA.privateKey)),
      "401 token-malformed",
    ],
    ["b64 false", () => compact({ ...RS, b64: false }, good(), rs256(RSA.privateKey)), "401 token-malformed"],
  ];
  it.each(forged)("%s is refused", async (_, token, expected) => {
    expect(await bearer(token())).toBe(expected);
  });

  it.each(["jwk", "jku", "x5u", "x5c", "all"])(
    "a key that comes with the token is no key: %s",
    async (name) => {
      const url = `${ground.origins.issuer.url}/evil.json`;
      const brought: Record<string, unknown> = {
        jwk: jwk(EVIL.publicKey, "r1"),
        jku: url,
        x5u: url,
        x5c: ["AAAA"],
      };
      const header = name === "all" ? { ...RS, ...brought } : { ...RS, [name]: brought[name] };
      expect(await bearer(compact(header, good(), rs256(EVIL.privateKey)))).toBe("401 token-signature");
      expect(await bearer(compact({ ...header, kid: undefined }, good(), rs256(EVIL.privateKey)))).toBe(
        "401 token-signature",
      );
      expect(ground.origins.issuer.asked).not.toContain("GET /evil.json");
    },
  );

  it("one text is one token: no bit of it may change", async () => {
    const [header, claims, signature] = jobs(good({ iss: "jobs" })).split(".") as [string, string, string];
    expect(await bearer(`${header}.${claims}.${signature}`)).toBe("200");
    for (const other of [
      `${header}.${claims}.${signature}=`,
      `${header}.${claims}.${signature}.`,
      `${header}.${claims}.${signature}.${signature}`,
      `${header}.${claims}..${signature}`,
      `${header}=.${claims}.${signature}`,
      `${header}.${claims}. ${signature}`,
      `${header}.${claims}.${signature.slice(0, -1)}${unusedBit(signature.at(-1)!)}`,
    ])
      expect(await bearer(other)).toMatch(/^401 token-(malformed|signature)$/);
  });
});

describe("S12: claims", () => {
  const raw = (members: Readonly<Record<string, string | undefined>>): string => {
    const all = { iss: '"jobs"', aud: '"shop"', sub: '"ann"', exp: String(now() + 300), ...members };
    return `{${Object.entries(all)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `"${name}":${value}`)
      .join(",")}}`;
  };
  const at = (seconds: number) => () => String(now() + seconds);

  const table: [string, string, string | undefined | (() => string), string][] = [
    ["exp", "in a while", at(2.5), "200"],
    ["exp", "with a fraction", at(200.25), "200"],
    ["exp", "missing", undefined, "401 token-claims"],
    ["exp", "a text", '"9999999999"', "401 token-claims"],
    ["exp", "beyond all numbers", "1e400", "401 token-claims"],
    ["exp", "below all numbers", "-1e400", "401 token-claims"],
    ["exp", "zero", "0", "401 token-expired"],
    ["exp", "true", "true", "401 token-claims"],
    ["exp", "null", "null", "401 token-claims"],
    ["exp", "a list", "[9999999999]", "401 token-claims"],
    ["exp", "an object", '{"valueOf":9999999999}', "401 token-claims"],
    ["exp", "negative", "-9999999999", "401 token-expired"],
    ["exp", "one second ago", at(-1), "401 token-expired"],
    ["nbf", "past", at(-1), "200"],
    ["nbf", "future", at(3), "401 token-not-yet-valid"],
    ["nbf", "a text", '"0"', "401 token-claims"],
    ["nbf", "below all numbers", "-1e400", "401 token-claims"],
    ["nbf", "null", "null", "401 token-claims"],
    ["iat", "past", at(-1), "200"],
    ["iat", "a text", '"0"', "401 token-claims"],
    ["iat", "false", "false", "401 token-claims"],
    ["aud", "a text", '"shop"', "200"],
    ["aud", "a list", '["x","shop"]', "200"],
    ["aud", "absent", undefined, "401 token-audience"],
    ["aud", "an empty text", '""', "401 token-audience"],
    ["aud", "an empty list", "[]", "401 token-audience"],
    ["aud", "null", "null", "401 token-audience"],
    ["aud", "longer", '"shop2"', "401 token-audience"],
    ["aud", "shorter", '"sho"', "401 token-audience"],
    ["aud", "in capitals", '"SHOP"', "401 token-audience"],
    ["aud", "several in one text", '"x shop"', "401 token-audience"],
    ["aud", "a list in a list", '[["shop"]]', "401 token-audience"],
    ["aud", "a list of all sorts", '["shop",1]', "401 token-audience"],
    ["aud", "an object", '{"shop":1}', "401 token-audience"],
    ["iss", "with a slash", '"jobs/"', "401 token-issuer"],
    ["iss", "in capitals", '"Jobs"', "401 token-issuer"],
    ["iss", "a list", '["jobs"]', "401 token-issuer"],
    ["iss", "absent", undefined, "401 token-issuer"],
    ["sub", "absent", undefined, "401 token-claims"],
    ["sub", "empty", '""', "401 token-claims"],
    ["sub", "a number", "42", "401 token-claims"],
  ];
  it.each(table)("%s that is %s", async (name, _, value, expected) => {
    const text = typeof value === "function" ? value() : value;
    expect(await bearer(jobs(raw({ [name]: text })))).toBe(expected);
  });

  it("iss compares to its last slash", async () => {
    const token = (iss: string): string => compact(RS, good({ iss }), rs256(RSA.privateKey));
    expect(await bearer(token(LOGIN))).toBe("200");
    for (const iss of [
      LOGIN.slice(0, -1),
      `${LOGIN}/`,
      LOGIN.replace("https", "http"),
      LOGIN.toUpperCase(),
      ` ${LOGIN}`,
    ])
      expect(await bearer(token(iss))).toBe("401 token-issuer");
  });

  it.each([
    ["exp", -29, "200"],
    ["exp", -31, "401 token-expired"],
    ["nbf", 29, "200"],
    ["nbf", 32, "401 token-not-yet-valid"],
  ])("a clock skew of 30 s ends within a second: %s %i s from now", async (name, seconds, expected) => {
    // A second may begin between here and there: at its begin there is the most time.
    const claims = raw({ iss: '"skewed"', [name]: String(Date.now() / 1000 + (seconds as number)) });
    expect(await bearer(jobs(claims))).toBe(expected);
  });

  it.each([
    [{ iat: -10, exp: 3589 }, "200"],
    [{ iat: -10, exp: 3592 }, "401 token-claims"],
    [{ exp: 60 }, "401 token-claims"],
    [{ iat: 60, exp: 3600 }, "401 token-not-yet-valid"],
  ])("a token lives as long as its issuer allows: %j", async (times, expected) => {
    const claims = Object.fromEntries(
      Object.entries(times).map(([name, seconds]) => [name, now() + seconds]),
    );
    expect(await bearer(jobs(good({ iss: "brief", ...claims })))).toBe(expected);
  });

  it.each([
    ["at+jwt", "200"],
    ["application/at+jwt", "200"],
    ["JWT", "401 token-type"],
    [undefined, "401 token-type"],
  ])("a token is of the type that its issuer gives out: %s", async (typ, expected) => {
    expect(await bearer(jobs(good({ iss: "typed" }), { typ }))).toBe(expected);
  });

  it("a payload that is no object, or not JSON, is refused", async () => {
    for (const text of ["[]", "null", '"x"', "{", `${raw({})} x`, raw({ exp: "NaN" })])
      expect(await bearer(jobs(text))).toBe("401 token-malformed");
  });
});

describe("S13: the scheme", () => {
  const token = (): string => jobs(good({ iss: "jobs" }));
  it.each([
    ["Bearer TOKEN", "200"],
    ["bearer TOKEN", "200"],
    ["Basic TOKEN", "401 credential-missing"],
    ["Token TOKEN", "401 credential-missing"],
    ["JWT TOKEN", "401 credential-missing"],
    ["DPoP TOKEN", "401 credential-missing"],
    ["TOKEN", "401 credential-missing"],
    ["Bearer Bearer TOKEN", "401 token-malformed"],
    ["Bearer TOKEN, Bearer TOKEN", "401 token-malformed"],
    ["Bearer TOKEN TOKEN", "401 token-malformed"],
    ["Basic YTpi, Bearer TOKEN", "401 token-malformed"],
    ["Bearer\tTOKEN", "401 token-malformed"],
    ["Bearer  TOKEN", "401 token-malformed"],
    ["BearerTOKEN", "401 token-malformed"],
    ["Bearer:TOKEN", "401 token-malformed"],
    ["Bearer=TOKEN", "401 token-malformed"],
    ['Bearer "TOKEN"', "401 token-malformed"],
    ["Bearer", "401 token-malformed"],
  ])("%j", async (value, expected) => {
    expect(await judged(value.replaceAll("TOKEN", token()))).toBe(expected);
  });

  it("a token stands where the policy says, and nowhere else", async () => {
    const places: [string, string[]][] = [
      [`/any?access_token=${token()}`, []],
      [`/any?token=${token()}`, []],
      ["/any", [`Cookie: access_token=${token()}; token=${token()}`]],
      ["/any", [`X-Access-Token: ${token()}`, `Proxy-Authorization: Bearer ${token()}`]],
    ];
    for (const [target, fields] of places) {
      const { answer, heard } = await ground.request(`GET ${target}`, fields);
      expect([statusOf(answer), heard]).toEqual(["401 credential-missing", []]);
      expect(fieldOf(answer, "www-authenticate")).toBe('Bearer realm="tokens"');
    }
    const form = await ground.request(
      "POST /any",
      ["Content-Type: application/x-www-form-urlencoded"],
      `access_token=${token()}`,
    );
    expect([statusOf(form.answer), form.heard]).toEqual(["401 credential-missing", []]);
  });
});

describe("S15: tokens that were seen before", () => {
  const rsa = (claims: object): string => compact(RS, claims, rs256(RSA.privateKey));

  it("are told apart by all of their text", async () => {
    const claims = good({ iss: "jobs", pad: "x".repeat(2000) });
    const token = jobs(claims);
    expect(await bearer(token)).toBe("200");
    const [header, payload, signature] = token.split(".") as [string, string, string];
    const flipped = `${signature[0] === "A" ? "B" : "A"}${signature.slice(1)}`;
    const payloads = [
      compact({ alg: "HS256" }, { ...claims, sub: "bob" }, hs256("x".repeat(32))).split(".")[1]!,
      compact({ alg: "HS256" }, { ...claims, admin: true }, hs256("x".repeat(32))).split(".")[1]!,
    ];
    for (const other of [
      `${header}.${payload}.${flipped}`,
      `${header}.${payload}.`,
      `${header}.${payload}.${signature.slice(0, -2)}`,
      ...payloads.map((one) => `${header}.${one}.${signature}`),
      compact({ alg: "HS256", x: 1 }, claims, none).replace(/\.$/, `.${signature}`),
    ])
      expect(await bearer(other)).toMatch(/^401 token-(signature|malformed)$/);
    expect(await bearer(token)).toBe("200");
  });

  it("end when they end", async () => {
    const endsAtMs = Date.now() + 1200;
    const token = jobs(good({ iss: "jobs", exp: endsAtMs / 1000 }));
    expect(await bearer(token)).toBe("200");
    expect(await bearer(token)).toBe("200");
    await new Promise((resolve) => setTimeout(resolve, endsAtMs - Date.now() + 20));
    expect(await bearer(token)).toBe("401 token-expired");
  });

  it("are good for the policies that they satisfy, whichever saw them first", async () => {
    const token = rsa(good({ scope: "read" }));
    expect(await bearer(token)).toBe("200");
    expect(await bearer(token, "/staff")).toBe("401 token-audience");
    expect(await bearer(token, "/other")).toBe("401 token-issuer");
    expect(await bearer(token, "/jobs")).toBe("401 token-issuer");
    expect(await bearer(token, "/writers")).toBe("403 insufficient-scope");
    expect(await bearer(token)).toBe("200");
    const wide = rsa(good({ aud: ["shop", "staff"], scope: "read write" }));
    for (const path of ["/staff", "/any", "/writers", "/staff"]) expect(await bearer(wide, path)).toBe("200");
    expect(await bearer(wide, "/other")).toBe("401 token-issuer");
  });

  it("are each their own caller", async () => {
    const callers = ["ann", "bob"].map(
      (sub) => [sub, jobs(good({ iss: "jobs", sub, jti: "same" }))] as const,
    );
    for (let round = 0; round < 3; round++) {
      for (const [sub, token] of callers) {
        expect(await bearer(token, "/jobs")).toBe("200");
        expect(fieldOf(ground.origins.origin.last(), "x-user-id")).toBe(sub);
      }
    }
  });
});

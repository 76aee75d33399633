import { createHmac, type KeyObject, sign as signWith } from "node:crypto";
import { type Stage, startStage } from "../e2e/stage.ts";
import { ask, problemOf, type RawAnswer, requestText } from "../e2e/wire.ts";
import { type Served, serve } from "../support/served.ts";

/** The host that gateways of these tests have. */
export const HOST = "api.example.com";

/** What came of a request: the answer, and what each origin was asked meanwhile, as "origin METHOD target". */
export interface Outcome {
  readonly answer: RawAnswer;
  readonly heard: readonly string[];
}

/** A gateway in its production bundle on plain workerd, with origins behind it whose answers tests choose. */
export interface Ground<Name extends string> {
  readonly gateway: Served;
  readonly origins: Readonly<Record<Name, Stage>>;
  /** Sends bytes as they are. Requests must not overlap: what origins hear meanwhile counts for this one. */
  send(text: string): Promise<Outcome>;
  /** Sends a request line such as `GET /a`, fields as they are written, and a body with its length. */
  request(line: string, fields?: readonly string[], body?: string): Promise<Outcome>;
  stop(): Promise<void>;
}

/** The ground's policies get the URL of each origin. */
export type Policies<Name extends string> = (urls: Readonly<Record<Name, string>>) => string;

/** Starts origins, and a gateway over them; `vars` are its secrets. */
export const startGround = async <Name extends string>(
  names: readonly Name[],
  policies: Policies<Name>,
  vars: Readonly<Record<string, string>> = {},
  args: readonly string[] = [],
): Promise<Ground<Name>> => {
  const started = await Promise.all(names.map(async (name) => [name, await startStage()] as const));
  const origins = Object.fromEntries(started) as Record<Name, Stage>;
  const urls = Object.fromEntries(started.map(([name, { url }]) => [name, url])) as Record<Name, string>;
  const gateway = await serveText(policies(urls), vars, args);
  const send = async (text: string): Promise<Outcome> => {
    const before = started.map(([, { asked }]) => asked.length);
    const answer = await ask(gateway.port, text);
    const heard = started.flatMap(([name, { asked }], index) =>
      asked.slice(before[index]).map((line) => `${name} ${line}`),
    );
    return { answer, heard };
  };
  return {
    gateway,
    origins,
    send,
    request: (line, fields = [], body = "") => send(textOf(line, fields, body)),
    stop: async () => {
      await gateway.stop();
      await Promise.all(started.map(([, stage]) => stage.stop()));
    },
  };
};

/** Serves one file of policies. Rejects with what was printed when they are refused. */
export const serveText = (
  text: string,
  vars: Readonly<Record<string, string>> = {},
  args: readonly string[] = [],
): Promise<Served> =>
  serve({
    files: { "gateway.yaml": text },
    args: [...Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}=${value}`]), ...args],
  });

/** The text of a request that closes its connection, with a length where it has a body. */
export const textOf = (line: string, fields: readonly string[] = [], body = ""): string => {
  const framing = body === "" ? [] : [`Content-Length: ${Buffer.byteLength(body, "latin1")}`];
  return requestText(line, [...fields, ...framing, "Connection: close"], body, HOST);
};

/** Status and, of a problem, its code: "200", "401 token-expired". */
export const statusOf = (answer: RawAnswer): string => {
  const type = answer.fields.find(([name]) => name === "content-type")?.[1];
  return type?.startsWith("application/problem+json") === true
    ? `${answer.status} ${problemOf(answer)["code"]}`
    : String(answer.status);
};

/** An upstream of one target at a URL on loopback. */
export const upstream = (url: string): string =>
  `{ targets: { only: { url: "${url}", network: private } }, timeout: 5s }`;

/** Makes a signature over the first two parts of a token. */
export type Signer = (input: string) => Buffer;

/** Signs as HS256, with any bytes as the secret. */
export const hs256 =
  (secret: string | Buffer): Signer =>
  (input) =>
    createHmac("sha256", secret).update(input).digest();

/** Signs as RS256. */
export const rs256 =
  (key: KeyObject): Signer =>
  (input) =>
    signWith("sha256", Buffer.from(input), key);

/** Signs as ES256. */
export const es256 =
  (key: KeyObject): Signer =>
  (input) =>
    signWith("sha256", Buffer.from(input), { key, dsaEncoding: "ieee-p1363" });

const part = (value: object | string): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** A compact JWS over parts that need not make sense; a text stands for itself. */
export const compact = (header: object | string, claims: object | string, sign: Signer): string => {
  const input = `${part(header)}.${part(claims)}`;
  return `${input}.${sign(input).toString("base64url")}`;
};

/** The time in whole seconds. */
export const now = (): number => Math.floor(Date.now() / 1000);

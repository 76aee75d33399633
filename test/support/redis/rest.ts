import { createHash } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { Connection, RedisError, type Reply, Simple } from "./resp.ts";
import { type RedisServer, startRedis } from "./server.ts";

/** How Redis may fail, as seen through HTTP. What fails in Redis itself (full, another type) is made with real commands. */
export type Failure =
  /** The connection is cut. */
  | { readonly kind: "away" }
  /** It is answered after so long. */
  | { readonly kind: "slow"; readonly delayMs: number }
  /** It is taken and never answered. */
  | { readonly kind: "silent" }
  /** Something in between answers in its place. */
  | { readonly kind: "rubbish"; readonly status: number; readonly body: string; readonly location?: string };

/** A request as it came. */
export interface Seen {
  readonly target: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface RedisOverHttp {
  readonly url: string;
  readonly token: string;
  /** Whether and how it fails from now on. */
  failure: Failure | undefined;
  /** Requests so far, whatever became of them. */
  readonly requests: number;
  /** What the last of them was. */
  readonly last: Seen | undefined;
  /** What `TIME` says inside of scripts, in milliseconds; unset, the time of Redis. */
  nowMs: number | undefined;
  /** Runs a command past HTTP; texts are Latin-1. */
  command(...parts: (string | Buffer)[]): Promise<unknown>;
  stop(): Promise<void>;
}

type Command = readonly (string | number | boolean | null)[];

/**
 * A real Redis behind the REST interface of Upstash, after its documentation: commands as a JSON array or as a path, `/pipeline`,
 * `/multi-exec`, both ways to give the token, base64 answers, the token of synchronization, errors with their statuses. Left out:
 * event streams and the answers in RESP2.
 */
export const startRedisOverHttp = async (token = "a-token-of-a-test"): Promise<RedisOverHttp> => {
  const redis = await startRedis();
  const front = new Front(redis, token);
  await front.listen();
  return front;
};

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const refusal = (status: number, error: string): Answer => ({ status, body: { error } });

class Front implements RedisOverHttp {
  readonly token: string;
  failure: Failure | undefined;
  nowMs: number | undefined;
  requests = 0;
  last: Seen | undefined;
  url = "";
  readonly #redis: RedisServer;
  readonly #connection: Connection;
  /** Scripts by the digest that a client knows them by: that of the text before its `#!lua` line was taken off. */
  readonly #scripts = new Map<string, string>();
  readonly #server = http.createServer((request, response) => void this.#serve(request, response));

  constructor(redis: RedisServer, token: string) {
    this.token = token;
    this.#redis = redis;
    this.#connection = new Connection(redis.socket);
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    this.#connection.close();
    await this.#redis.stop();
  }

  async command(...parts: (string | Buffer)[]): Promise<unknown> {
    const [reply] = await this.#connection.send([parts]);
    if (reply instanceof RedisError) throw reply;
    return toJson(reply!, (bytes) => bytes.toString("latin1"));
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    this.requests++;
    const body = await textOf(request);
    this.last = { target: `${request.method} ${request.url}`, headers: request.headers, body };
    const { failure } = this;
    if (failure?.kind === "away") return void request.socket.destroy();
    if (failure?.kind === "silent") return;
    if (failure?.kind === "slow") await new Promise((resolve) => setTimeout(resolve, failure.delayMs));
    if (failure?.kind === "rubbish") {
      const { status, body: page, location } = failure;
      const headers = { "content-type": "text/html", ...(location !== undefined && { location }) };
      return void response.writeHead(status, headers).end(page);
    }
    const answer = await this.#answer(request, body);
    response.writeHead(answer.status, {
      "content-type": "application/json",
      "upstash-sync-token": request.headers["upstash-sync-token"] || "sync-token-of-a-test",
    });
    response.end(JSON.stringify(answer.body));
  }

  async #answer(request: http.IncomingMessage, body: string): Promise<Answer> {
    const url = new URL(request.url!, this.url);
    if (!["GET", "HEAD", "POST", "PUT"].includes(request.method!))
      return refusal(405, "ERR method not allowed");
    const given =
      url.searchParams.get("_token") ?? /^Bearer (.*)$/.exec(request.headers.authorization ?? "")?.[1];
    if (given !== this.token) return refusal(401, "WRONGPASS invalid or missing auth token");
    const encoding = request.headers["upstash-encoding"];
    const text = (bytes: Buffer): string => bytes.toString(encoding === "base64" ? "base64" : "utf8");
    if (url.pathname === "/pipeline") return this.#pipeline(body, text);
    if (url.pathname === "/multi-exec") return this.#transaction(body, text);
    const command = url.pathname === "/" ? parseCommand(body) : commandOfPath(url, body);
    if (command === undefined) return refusal(400, "ERR failed to parse command");
    const [reply] = await this.#connection.send([this.#translated(command)]);
    return reply instanceof RedisError
      ? refusal(400, reply.message)
      : { status: 200, body: { result: toJson(reply!, text) } };
  }

  async #pipeline(body: string, text: (bytes: Buffer) => string): Promise<Answer> {
    const commands = parseCommands(body);
    if (commands === undefined) return refusal(400, "ERR failed to parse pipeline request");
    const replies = await this.#connection.send(commands.map((command) => this.#translated(command)));
    return { status: 200, body: replies.map((reply) => item(reply, text)) };
  }

  async #transaction(body: string, text: (bytes: Buffer) => string): Promise<Answer> {
    const commands = parseCommands(body);
    if (commands === undefined) return refusal(400, "ERR failed to parse transaction request");
    const translated = commands.map((command) => this.#translated(command));
    const replies = await this.#connection.send([["MULTI"], ...translated, ["EXEC"]]);
    const done = replies.at(-1)!;
    if (done instanceof RedisError) return refusal(400, done.message);
    return { status: 200, body: (done as readonly Reply[]).map((reply) => item(reply, text)) };
  }

  /** A command as Redis takes it. Redis 7.0 refuses the flags that Upstash knows in a script's first line. */
  #translated(command: Command): readonly string[] {
    const parts = command.map(String);
    const [name, first = ""] = [parts[0]!.toUpperCase(), parts[1]];
    if (name === "EVAL") return ["EVAL", this.#remember(first), ...parts.slice(2)];
    if (name === "SCRIPT" && first.toUpperCase() === "LOAD") {
      this.#remember(parts[2]!);
      return ["ECHO", sha1(parts[2]!)];
    }
    const script = name === "EVALSHA" ? this.#scripts.get(first.toLowerCase()) : undefined;
    return script === undefined ? parts : ["EVAL", this.#timed(script), ...parts.slice(2)];
  }

  #remember(script: string): string {
    const plain = script.replace(/^#!lua[^\n]*\n/, "");
    this.#scripts.set(sha1(script), plain);
    return this.#timed(plain);
  }

  /** The same script under a test's own time: nothing then ends by the real one. */
  #timed(script: string): string {
    if (this.nowMs === undefined) return script;
    const time = `{ "${Math.floor(this.nowMs / 1000)}", "${(this.nowMs % 1000) * 1000}" }`;
    return `local real = redis
local redis = { call = function(name, ...)
  if name == "TIME" then return ${time} end
  if name ~= "SET" then return real.call(name, ...) end
  local key, value = ...
  return real.call(name, key, value)
end }
${script}`;
  }
}

const item = (reply: Reply, text: (bytes: Buffer) => string): unknown =>
  reply instanceof RedisError ? { error: reply.message } : { result: toJson(reply, text) };

/** A reply as JSON. An error inside of an array is told as its text. */
const toJson = (reply: Reply, text: (bytes: Buffer) => string): unknown => {
  if (reply === null || typeof reply === "number") return reply;
  // OK is the one status that is not encoded.
  if (reply instanceof Simple) return reply.text === "OK" ? "OK" : text(Buffer.from(reply.text));
  if (reply instanceof RedisError) return reply.message;
  return Buffer.isBuffer(reply)
    ? text(reply)
    : (reply as readonly Reply[]).map((inner) => toJson(inner, text));
};

const sha1 = (text: string): string => createHash("sha1").update(text).digest("hex");

const textOf = async (request: http.IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const isCommand = (value: unknown): value is Command =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((part) => part === null || typeof part !== "object");

const parseCommand = (body: string): Command | undefined => {
  const command = parseJson(body);
  return isCommand(command) ? command : undefined;
};

const parseCommands = (body: string): readonly Command[] | undefined => {
  const commands = parseJson(body);
  return Array.isArray(commands) && commands.length > 0 && commands.every(isCommand) ? commands : undefined;
};

/** `/set/key?EX=100` with a body: the path's parts, then the body, then the query. */
const commandOfPath = ({ pathname, searchParams }: URL, body: string): Command | undefined => {
  const parts = pathname.slice(1).split("/").map(decodeURIComponent);
  const query = [...searchParams].filter(([name]) => name !== "_token");
  const command = [
    ...parts,
    ...(body === "" ? [] : [body]),
    ...query.flatMap(([name, value]) => (value === "" ? [name] : [name, value])),
  ];
  return command[0] === "" ? undefined : command;
};

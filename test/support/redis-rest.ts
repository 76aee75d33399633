import { createServer } from "node:http";

/** A Redis of a test behind Upstash's REST interface: the few commands that we use, in memory. */
export interface FakeRedis {
  readonly url: string;
  /** Commands as they came. */
  readonly asked: (readonly string[])[];
  /** Answers everything with this status while it is set. */
  status: number | undefined;
  /** For how long an answer takes. */
  delayMs: number;
  stop(): Promise<void>;
}

export const TOKEN = "token-of-a-test";

/** Starts it on a port of loopback. */
export const startRedis = async (): Promise<FakeRedis> => {
  const texts = new Map<string, string>();
  const hashes = new Map<string, Map<string, string>>();
  const run = ([name, key = "", ...parts]: readonly string[]): unknown => {
    const hash = hashes.get(key) ?? new Map<string, string>();
    switch (name?.toUpperCase()) {
      case "GET":
        return texts.get(key) ?? null;
      case "SET":
        texts.set(key, parts[0]!);
        return "OK";
      case "DEL":
        return Number(texts.delete(key));
      case "HSETNX":
        if (hash.has(parts[0]!)) return 0;
        hashes.set(key, hash.set(parts[0]!, parts[1]!));
        return 1;
      case "HGET":
        return hash.get(parts[0]!) ?? null;
      case "HDEL":
        return Number(hash.delete(parts[0]!));
      case "HGETALL":
        return [...hash].flat();
      default:
        throw new Error(`the fake Redis has no ${name}`);
    }
  };
  const redis = {
    url: "",
    asked: [] as (readonly string[])[],
    status: undefined as number | undefined,
    delayMs: 0,
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const command = JSON.parse(Buffer.concat(chunks).toString("utf8")) as string[];
      redis.asked.push(command);
      const isLetIn = request.headers.authorization === `Bearer ${TOKEN}`;
      const status = redis.status ?? (isLetIn ? 200 : 401);
      const answer = status === 200 ? { result: run(command) } : { error: "no" };
      setTimeout(() => {
        response.writeHead(status, { "content-type": "application/json" });
        response.end(JSON.stringify(answer));
      }, redis.delayMs);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  redis.url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return Object.assign(redis, { stop });
};

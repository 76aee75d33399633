import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMPATIBILITY_DATE, writeBundle } from "../../src/adapters/node/bundle.ts";
import { compiled, planOf, sourcesOf } from "../support/compiling.ts";
import { freePort } from "../support/served.ts";
import { openSocket } from "./sockets.ts";
import { until } from "./until.ts";

// As on Cloudflare: the gateway, a service behind it and a Worker in front of it in one runtime, joined by service bindings.

const POLICIES = `
gateway: { name: sockets, hosts: { public: api.example.com, local: 127.0.0.1 } }
upstreams: { chat: { targets: { only: { binding: CHAT } } } }
apis:
  chat:
    public: true
    upstream: chat
    websocket: true
    routes:
      bare: { match: { pathPrefix: /bare } }
      edited: { match: { pathPrefix: /edited }, policies: { headers: { response: { set: { x-served: "yes" } } } } }
`;

const CHAT = `export default { fetch(request) {
  const [client, server] = Object.values(new WebSocketPair());
  server.accept();
  server.addEventListener("message", ({ data }) => data === "close" ? server.close(4001, "done here") : server.send(data));
  server.addEventListener("close", ({ code }) => console.log("closed with", code));
  return new Response(null, { status: 101, webSocket: client });
} };`;

/** Asks the gateway as Workers do: with an Upgrade, and nothing else of a handshake. */
const CALLER = `export default { async fetch(request, { GATEWAY }) {
  const { pathname } = new URL(request.url);
  const { status, headers, webSocket } = await GATEWAY.fetch("http://api.example.com" + pathname, { headers: { upgrade: "websocket" } });
  webSocket.accept();
  const echo = new Promise((resolve) => webSocket.addEventListener("message", ({ data }) => resolve(data)));
  webSocket.send("from a Worker");
  return Response.json([status, headers.get("x-served"), await echo]);
} };`;

let folder: string;
let child: ChildProcess;
let printed = "";
let gatewayPort: number;
let callerPort: number;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "postern-workers-"));
  await writeBundle(planOf(compiled(sourcesOf({ "gateway.yaml": POLICIES }))), folder);
  await writeFile(path.join(folder, "chat.js"), CHAT);
  await writeFile(path.join(folder, "caller.js"), CALLER);
  gatewayPort = await freePort();
  callerPort = await freePort();
  const worker = (name: string, file: string, binding: string): string =>
    `(name = "${name}", worker = (modules = [(name = "${file}", esModule = embed "${file}")], compatibilityDate = "${COMPATIBILITY_DATE}", bindings = [${binding}]))`;
  const socket = (service: string, port: number): string =>
    `(name = "${service}", address = "127.0.0.1:${port}", http = (), service = "${service}")`;
  await writeFile(
    path.join(folder, "workers.capnp"),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ${worker("gateway", "worker.js", '(name = "CHAT", service = "chat")')},
    ${worker("chat", "chat.js", "")},
    ${worker("caller", "caller.js", '(name = "GATEWAY", service = "gateway")')},
  ],
  sockets = [${socket("gateway", gatewayPort)}, ${socket("caller", callerPort)}],
);`,
  );
  const { default: workerd } = createRequire(import.meta.url)("workerd") as { default: string };
  child = spawn(workerd, ["serve", path.join(folder, "workers.capnp")], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (data) => (printed += String(data)));
  const isUp = (port: number): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}/bare`).then(
      () => true,
      () => false,
    );
  await until("the Workers", async () => (await isUp(gatewayPort)) && (await isUp(callerPort)));
});

afterAll(async () => {
  child.kill();
  await rm(folder, { recursive: true, force: true });
});

describe("a WebSocket by service bindings", () => {
  it.each(["/bare", "/edited"])("passes between a client and a Worker: %s", async (target) => {
    const client = await openSocket(`ws://127.0.0.1:${gatewayPort}${target}`);
    expect([client.status, client.fields["x-served"]]).toEqual([
      101,
      target === "/edited" ? "yes" : undefined,
    ]);
    client.socket.send("hello");
    await until("the echo", () => client.messages.length === 1);
    client.socket.send("close");
    await until("the close", () => client.closed() !== undefined);
    expect([client.messages, client.closed()]).toEqual([["hello"], "4001 done here"]);
  });

  it("is over for the Worker when the client goes away", async () => {
    const client = await openSocket(`ws://127.0.0.1:${gatewayPort}/bare`);
    printed = "";
    client.socket.terminate();
    await until("the Worker's close", () => printed.includes("closed with 1006"));
  });

  it.each([
    ["/bare", null],
    ["/edited", "yes"],
  ])("passes between two Workers: %s", async (target, edited) => {
    const answer = await fetch(`http://127.0.0.1:${callerPort}${target}`);
    expect(await answer.json()).toEqual([101, edited, "from a Worker"]);
  });
});

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import { writeBundle } from "../../src/adapters/node/bundle.ts";
import { configText } from "../../src/adapters/node/workerd.ts";
import { policyOrder } from "../../src/policies/index.ts";
import { type Stage, startStage } from "../e2e/stage.ts";
import { until } from "../e2e/until.ts";
import { ask } from "../e2e/wire.ts";
import { compiled, planOf, sourcesOf } from "../support/compiling.ts";
import { freePort } from "../support/served.ts";
import { fields, guard, keysOf, outcomesOf, type Row, routesOf } from "./setting-rows.ts";
import { HOST, textOf, upstream } from "./support.ts";

// S17, for settings that need what Cloudflare's edge alone tells. The production bundle runs on plain workerd here, whose socket
// takes the edge's word from a header field: no gateway that is served listens so.

const FINGERPRINT = "ab".repeat(32);
const OTHER = "cd".repeat(32);
const EDGE_FIELD = "edge-tells";

const told = (cf: object): string => `${EDGE_FIELD}: ${JSON.stringify({ colo: "FRA", ...cf })}`;
const from = (country: string): Row["request"] => fields(told({ country }));
const certificate = (digits: string, more: object = {}): string =>
  told({
    tlsClientAuth: {
      certPresented: "1",
      certVerified: "SUCCESS",
      certRevoked: "0",
      certFingerprintSHA256: digits,
      certSubjectDN: "CN=partner",
      ...more,
    },
  });

const known = (request: Row["request"], outcomes: Row["outcomes"]): Row => ({
  of: "clientCertificate.fingerprints",
  without: `clientCertificate: { fingerprints: { partner: ["${FINGERPRINT}"] } }`,
  with: `clientCertificate: { fingerprints: { partner: ["${OTHER}"] } }`,
  request,
  outcomes,
});

const ROWS: readonly Row[] = [
  guard("geoAccess.allow", "geoAccess: { allow: [DE] }", from("FR"), ["200", "403 country-refused"]),
  guard("geoAccess.allow", "geoAccess: { allow: [DE] }", from("DE"), ["200", "200"]),
  guard("geoAccess.deny", "geoAccess: { deny: [KP] }", from("KP"), ["200", "403 country-refused"]),
  known(fields(certificate(FINGERPRINT)), ["200", "401 certificate-unknown"]),
  known(fields(certificate(FINGERPRINT, { certVerified: "FAILED:self signed certificate" })), [
    "401 certificate-invalid",
    "401 certificate-invalid",
  ]),
  known(fields(told({})), ["401 credential-missing", "401 credential-missing"]),
  {
    ...known(fields(certificate(FINGERPRINT), "X-Partner: forged"), ["200 forged", "200 CN=partner"]),
    of: "clientCertificate.forward",
    with: `clientCertificate: { fingerprints: { partner: ["${FINGERPRINT}"] }, forward: { x-partner: subject } }`,
    sees: "x-partner",
  },
];

const policies = (url: string): string => `
gateway: { name: edge, hosts: { public: ${HOST} }, clientIp: cloudflare }
upstreams: { origin: ${upstream(url)} }
apis:
  all:
    upstream: origin
    routes:
${routesOf(ROWS)}
`;

let origin: Stage;
let folder: string;
let child: ChildProcess;
let port: number;

beforeAll(async () => {
  origin = await startStage();
  folder = await mkdtemp(path.join(os.tmpdir(), "postern-edge-"));
  port = await freePort();
  const compiledPlan = planOf(compiled(sourcesOf({ "gateway.yaml": policies(origin.url) })));
  const { plan, worker } = await writeBundle(compiledPlan, folder);
  const text = configText({ plan, worker, host: "127.0.0.1", port, secrets: {}, bindings: {} });
  const socket = 'http = (), service = "gateway")]';
  expect(text).toContain(socket);
  const config = path.join(folder, "edge.capnp");
  await writeFile(config, text.replace(socket, socket.replace("()", `(cfBlobHeader = "${EDGE_FIELD}")`)));
  const { default: workerd } = createRequire(import.meta.url)("workerd") as { default: string };
  child = spawn(workerd, ["serve", config], { stdio: ["ignore", "inherit", "inherit"] });
  await until("the gateway", () =>
    fetch(`http://127.0.0.1:${port}/__postern/health`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
});

afterAll(async () => {
  child?.kill();
  await origin?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe("S17: a setting that needs Cloudflare's edge has its effect", () => {
  const ground = {
    request: async (line: string, sent: readonly string[] = [], body = "") => ({
      answer: await ask(port, textOf(line, sent, body)),
      heard: [],
    }),
    get origins() {
      return { origin };
    },
  };

  it.each(ROWS.map((row, index) => [row.of, row, index] as const))("%s", async (_, row, index) => {
    expect(await outcomesOf(ground, row, index)).toEqual(row.outcomes);
  });

  it.each(["geoAccess", "clientCertificate"])("none of %s is left out", (name) => {
    const { type } = policyOrder.find((one) => one.type.name === name)!;
    const keys = keysOf(type.schema as z.ZodType).map((one) => `${name}.${one}`);
    expect(keys.length).toBeGreaterThan(0);
    expect(keys.filter((one) => !ROWS.some(({ of }) => of === one))).toEqual([]);
  });
});

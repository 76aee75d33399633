import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Served, serve } from "../support/served.ts";
import { type Stage, startStage } from "./stage.ts";
import { until } from "./until.ts";
import { ask, dial, fieldOf, problemOf, requestText } from "./wire.ts";

let stage: Stage;
let served: Served;

const policies = (): string => `
gateway:
  name: bounded
  hosts: { public: api.example.com, local: 127.0.0.1 }
  clientIp: connection
upstreams:
  origin: { targets: { only: { url: "${stage.url}", network: private } }, timeout: 20s }
apis:
  shop:
    public: true
    upstream: origin
    routes:
      counted:
        match: { path: /counted }
        policies:
          rateLimit: { limits: [{ name: rate, rate: 100/1m, key: ip }] }
          quota: { limits: [{ name: yearly, quota: 2/year, key: ip }] }
      slow: { match: { path: "/slow/{name}" }, policies: { concurrency: { max: 2, key: ip, forgetAfter: 60s } } }
      left: { match: { path: "/left/{name}" }, policies: { concurrency: { max: 1, key: route, forgetAfter: 2s } } }
`;

beforeAll(async () => {
  stage = await startStage();
  served = await serve({ files: { "all.yaml": policies() } });
}, 60_000);
afterAll(async () => {
  await served?.stop();
  await stage?.stop();
});

const get = (path: string) => ask(served.port, requestText(`GET ${path}`));

describe("on workerd", () => {
  it("a quota is used up until its period ends", async () => {
    const first = await get("/counted");
    expect(first.status).toBe(200);
    expect(fieldOf(first, "ratelimit")).toMatch(/^"rate";r=99;t=\d+, "yearly";r=1;t=\d+$/);
    expect((await get("/counted")).status).toBe(200);
    const over = await get("/counted");
    const year = new Date().getUTCFullYear();
    const left = (Date.UTC(year + 1, 0) - Date.now()) / 1000;
    expect(over.status).toBe(429);
    expect(Math.abs(Number(fieldOf(over, "retry-after")) - left)).toBeLessThan(60);
    expect(problemOf(over)).toMatchObject({ code: "quota-exceeded", "violated-policies": ["yearly"] });
  });

  it("so many requests are under way at once, and one more when one was answered", async () => {
    const held: (() => void)[] = [];
    stage.on("/slow/held", (_, response) => void held.push(() => response.end()));
    const one = get("/slow/held");
    const two = get("/slow/held");
    await until("both are under way", () => held.length === 2);
    const over = await get("/slow/other");
    expect([over.status, fieldOf(over, "retry-after")]).toEqual([429, "1"]);
    expect(problemOf(over)).toMatchObject({ code: "too-many-at-once" });
    held[0]!();
    held[1]!();
    expect([(await one).status, (await two).status]).toEqual([200, 200]);
    expect((await get("/slow/other")).status).toBe(200);
  });

  it("whose client left does not hold its place for ever", async () => {
    let asked = 0;
    stage.on("/left/held", () => void asked++);
    const wire = await dial(served.port);
    wire.send(requestText("GET /left/held"));
    await until("it is under way", () => asked === 1);
    expect((await get("/left/other")).status).toBe(429);
    wire.socket.destroy();
    const beganMs = Date.now();
    let status = 429;
    while (status === 429 && Date.now() - beganMs < 10_000) ({ status } = await get("/left/other"));
    expect(status).toBe(200);
  });
});

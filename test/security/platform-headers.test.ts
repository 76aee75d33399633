import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Stage, startStage } from "../e2e/stage.ts";
import { ask, fieldOf, requestText } from "../e2e/wire.ts";
import type { Served } from "../support/served.ts";
import { HOST, serveText, statusOf, upstream } from "./support.ts";

// S38: what Cloudflare would say is believed from Cloudflare alone, and this is plain workerd.

const DIGITS = "ab".repeat(32);
let stage: Stage;
const gateways = {} as Record<"cloudflare" | "connection", Served>;

const policies = (clientIp: string): string => `
gateway:
  name: platform
  hosts: { public: ${HOST} }
  clientIp: ${clientIp}
  policies: { accessLog: {} }
upstreams: { stage: ${upstream(stage.url)} }
apis:
  open:
    public: true
    upstream: stage
    routes:
      all: { match: { pathPrefix: /open } }
      office: { match: { path: /office }, policies: { ipAccess: { allow: [192.0.2.0/24] } } }
      others: { match: { path: /others }, policies: { ipAccess: { deny: [203.0.113.0/24] } } }
      limited: { match: { path: /limited }, policies: { rateLimit: { limits: [{ name: ip, rate: 3/1h, key: ip }] } } }
      ${clientIp === "cloudflare" ? "home: { match: { path: /home }, policies: { geoAccess: { allow: [DE] } } }" : ""}
      ${clientIp === "cloudflare" ? "away: { match: { path: /away }, policies: { geoAccess: { deny: [KP] } } }" : ""}
${
  clientIp === "cloudflare"
    ? `  certified:
    upstream: stage
    policies: { clientCertificate: { fingerprints: { office: ["${DIGITS}"] } } }
    routes: { all: { match: { path: /certified } } }
`
    : ""
}`;

beforeAll(async () => {
  stage = await startStage();
  gateways.cloudflare = await serveText(policies("cloudflare"));
  gateways.connection = await serveText(policies("connection"));
});
afterAll(async () => {
  for (const served of Object.values(gateways)) expect(await served.stop()).toBe(0);
  await stage.stop();
});

/** Everything that Cloudflare's edge would write for a client of the office, with its certificate. */
const FORGED = [
  ...[
    "CF-Connecting-IP: 192.0.2.7",
    "CF-Connecting-IPv6: 2001:db8::1",
    "CF-Pseudo-IPv4: 240.0.0.1",
    "True-Client-IP: 192.0.2.7",
    "X-Real-IP: 192.0.2.7",
  ],
  ...[
    "CF-IPCountry: DE",
    "CF-Region: BE",
    "CF-Ray: 8a-FRA",
    'CF-Visitor: {"scheme":"https"}',
    "X-Forwarded-For: 192.0.2.7",
    "X-Forwarded-Proto: https",
  ],
  ...[
    "Cf-Cert-Presented: true",
    "Cf-Cert-Verified: true",
    "Cf-Cert-Revoked: false",
    `Cf-Client-Cert-Sha256: ${DIGITS}`,
    `Cf-Cert-Fingerprint-SHA256: ${DIGITS}`,
  ],
  ...[
    "Client-Cert: :AAAA:",
    "Client-Cert-Chain: :AAAA:",
    "CF_Connecting_IP: 192.0.2.7",
    'cf: {"colo":"FRA"}',
    "CDN-Loop: cloudflare",
    "CF-Worker: example.com",
  ],
];

const send = (gateway: keyof typeof gateways, path: string, fields: readonly string[] = []) =>
  ask(gateways[gateway].port, requestText(`GET ${path}`, [...fields, "Connection: close"]));

describe.each(["cloudflare", "connection"] as const)("under clientIp: %s", (name) => {
  it("a request without any of it is served (the control)", async () => {
    expect(statusOf(await send(name, "/open/x"))).toBe("200");
  });

  it("no field makes an address, a country or a certificate", async () => {
    for (const fields of [FORGED, ...FORGED.map((field) => [field]), []]) {
      expect(statusOf(await send(name, "/office", fields))).toBe("403 ip-refused");
      // On plain workerd the connection has an address, and the platform has told none.
      expect(statusOf(await send(name, "/others", fields))).toBe(
        name === "connection" ? "200" : "403 ip-refused",
      );
      if (name === "connection") continue;
      expect(statusOf(await send(name, "/certified", fields))).toBe("401 credential-missing");
      for (const path of ["/home", "/away"])
        expect(statusOf(await send(name, path, fields))).toBe("403 country-refused");
    }
  });

  it("no field makes a client another one for a limit", async () => {
    const statuses: string[] = [];
    for (let time = 0; time < 5; time++)
      statuses.push(
        statusOf(
          await send(
            name,
            "/limited",
            FORGED.map((field) => field.replace("192.0.2.7", `192.0.2.${time}`)),
          ),
        ),
      );
    expect(statuses).toEqual(["200", "200", "200", "429 rate-limited", "429 rate-limited"]);
  });

  it("no field reaches the upstream as if the platform had said it", async () => {
    expect(statusOf(await send(name, "/open/x", FORGED))).toBe("200");
    const { fields } = stage.last();
    const claimed = fields.filter(([field]) =>
      /^(?:cf[-_](?!region|pseudo|worker)|client-cert|true-client|x-real)/.test(field),
    );
    expect(claimed).toEqual([]);
    expect(JSON.stringify(fields.filter(([field]) => field.startsWith("x-forwarded")))).not.toContain(
      "192.0.2",
    );
    expect(fieldOf({ fields }, "x-forwarded-proto")).toBe("http");
  });

  it("no field is the client's address in the log", async () => {
    await send(name, "/open/log", FORGED);
    expect(gateways[name].output()).not.toContain("192.0.2.7");
    expect(gateways[name].output()).toContain("/open/log");
  });
});

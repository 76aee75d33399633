import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import {
  type ClientCertificate,
  certificateBindings,
  readClientCertificate,
} from "../adapters/node/client-certificates.ts";
import type { WranglerConfig } from "../adapters/node/wrangler-config.ts";
import type { Plan } from "../core/plan.ts";
import { CommandFailed } from "./failure.ts";

/** Secrets of a developer's machine, in wrangler's own file. */
export const devVars = async (project: string): Promise<Record<string, string>> => {
  const text = await readFile(path.join(project, ".dev.vars"), "utf8").catch(() => "");
  const lines = text.split("\n").map((line) => /^\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$/.exec(line));
  return Object.fromEntries(
    lines.flatMap((found) => (found ? [[found[1]!, found[2]!.replace(/^(["'])(.*)\1$/, "$2")]] : [])),
  );
};

/**
 * Names of the secrets that may be made at random for a run: with a credential's secret, nobody has to do but the gateway and
 * the services that are started beside it. Only in development, and only where any text will do: of a pair of keys the
 * services would need the other half.
 */
export const namesToMake = (plan: Plan, services: readonly WranglerConfig[]): readonly string[] => {
  if (!plan.gateway.development) return [];
  const required = new Set(services.flatMap(({ secrets }) => secrets));
  return Object.values(plan.upstreams).flatMap(({ credential }) =>
    credential !== undefined &&
    (credential.kind === "header" || ["HS256", "hmac-sha256"].includes(credential.algorithm)) &&
    required.has(credential.secret)
      ? [credential.secret]
      : [],
  );
};

/** A secret of 256 random bits. */
export const randomSecret = (): string => randomBytes(32).toString("base64url");

/** The secrets of a plan. Fails with the names of those that are not known. */
export const planSecrets = (
  plan: Plan,
  known: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> => {
  const missing = plan.secrets.filter((name) => known[name] === undefined);
  if (missing.length > 0) {
    throw new CommandFailed(
      2,
      `${missing.length === 1 ? "A secret is" : "Secrets are"} not set: ${missing.join(", ")}.`,
      `Give ${missing.length === 1 ? "it" : "them"} with ${missing.map((name) => `--var ${name}=…`).join(" ")}, or in .dev.vars.`,
    );
  }
  return Object.fromEntries(plan.secrets.map((name) => [name, known[name]!]));
};

/** The client certificates that a plan shows, from the files in which they are. */
export const planCertificates = async (
  plan: Plan,
  files: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, ClientCertificate>>> => {
  const certificates: Record<string, ClientCertificate> = {};
  for (const binding of certificateBindings(plan)) {
    const file = files[binding];
    if (file === undefined)
      throw new CommandFailed(
        2,
        `Nothing is known of the client certificate behind the binding ${binding}.`,
        `Say which file holds it, with its private key, in PEM: --certificate ${binding}=./gateway.pem.`,
      );
    const certificate = await readClientCertificate(file);
    if (certificate === undefined)
      throw new CommandFailed(
        2,
        `${file} does not hold a certificate and its private key in PEM.`,
        "Put both into one file: cat certificate.pem key.pem > gateway.pem.",
      );
    certificates[binding] = certificate;
  }
  return certificates;
};

/** Certificates of authorities that this machine trusts beside those of browsers, where Node is told of them too. */
export const extraAuthorities = async (): Promise<string> => {
  const file = process.env["NODE_EXTRA_CA_CERTS"];
  return file === undefined ? "" : readFile(file, "utf8").catch(() => "");
};

import { readFile } from "node:fs/promises";
import type { Plan } from "../../core/plan.ts";

/** A client certificate and its private key, in PEM. */
export interface ClientCertificate {
  readonly chain: string;
  readonly key: string;
}

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;
const KEY = /-----BEGIN ((?:EC |RSA )?PRIVATE KEY)-----[\s\S]+?-----END \1-----/;

/** Reads a file that holds a certificate, those of its issuers, and the private key. Undefined where one of the two is not there. */
export const readClientCertificate = async (file: string): Promise<ClientCertificate | undefined> => {
  const text = await readFile(file, "utf8").catch(() => "");
  const chain = text.match(CERTIFICATES)?.join("\n");
  const key = KEY.exec(text)?.[0];
  return chain === undefined || key === undefined ? undefined : { chain: `${chain}\n`, key: `${key}\n` };
};

/** Names of the bindings of client certificates that a plan uses. */
export const certificateBindings = (plan: Plan): readonly string[] => [
  ...new Set(
    Object.values(plan.upstreams).flatMap(({ targets }) =>
      targets.flatMap(({ certificate }) => certificate ?? []),
    ),
  ),
];

/**
 * The network of workerd that shows a client certificate, as the binding of one does on Workers. Certificates of servers may
 * be signed by whom browsers trust, or by whom `trusted` holds. Private addresses can be reached where a target that shows
 * this certificate may.
 */
export const certificateNetwork = (
  plan: Plan,
  binding: string,
  { chain, key }: ClientCertificate,
  trusted: string,
): string => {
  const isPrivate = Object.values(plan.upstreams).some(({ targets }) =>
    targets.some(({ certificate, network }) => certificate === binding && network === "private"),
  );
  const allow = isPrivate ? `["public", "private"]` : `["public"]`;
  const keypair = `(privateKey = ${JSON.stringify(key)}, certificateChain = ${JSON.stringify(chain)})`;
  const authorities = (trusted.match(CERTIFICATES) ?? []).map((it) => JSON.stringify(`${it}\n`)).join(", ");
  return `network = (allow = ${allow}, tlsOptions = (keypair = ${keypair}, trustBrowserCas = true, trustedCertificates = [${authorities}]))`;
};

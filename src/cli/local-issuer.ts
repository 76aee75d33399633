import { randomUUID } from "node:crypto";
import { link, mkdir, open, readFile, unlink, writeFile } from "node:fs/promises";
import path from "node:path";
import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  type JWTPayload,
  SignJWT,
} from "jose";
import { isSymmetric } from "../policies/jwt/algorithms.ts";
import type { IssuerPlan } from "../policies/jwt/issuer-plan.ts";
import { CommandFailed } from "./failure.ts";

/** The local issuer of a project: stands in for a real one while developing. */
export interface LocalIssuer {
  /** The key that signs with the algorithm that was asked for. */
  readonly privateJwk: JWK;
  /** All public keys, for the gateway. */
  readonly publicJwks: { readonly keys: readonly JWK[] };
}

const FOLDER = ".postern";
const FILE = "local-issuer.json";

/** One key for each type and curve; the RSA key serves all RS and PS algorithms. */
const KEY_ALGORITHMS = ["ES256", "ES384", "ES512", "EdDSA", "RS256"];

/**
 * The keys of the local issuer, made on first use in `.postern/local-issuer.json` below a folder: readable by their owner
 * only, and kept out of Git. Two processes that begin at once get the same keys. Fails with 2 when the file cannot be read,
 * written or understood.
 */
export const localIssuerKey = async (folder: string, algorithm = "ES256"): Promise<LocalIssuer> => {
  const file = path.join(folder, FOLDER, FILE);
  const text = await readFile(file, "utf8")
    .catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
      await createFile(file, JSON.stringify({ keys: await makeKeys() }, undefined, 2));
      return readFile(file, "utf8");
    })
    .catch((error: NodeJS.ErrnoException) => {
      const message = `The keys of the local issuer cannot be kept in "${file}" (${error.code ?? error.message}).`;
      throw new CommandFailed(2, message, "See who may read and write there.");
    });
  const keys = keysOf(text);
  const privateJwk = keys?.find((jwk) =>
    jwk.alg === undefined ? /^[RP]S/.test(algorithm) : jwk.alg === algorithm,
  );
  if (keys === undefined || privateJwk === undefined)
    throw new CommandFailed(
      2,
      `"${file}" does not hold the keys of a local issuer.`,
      "Remove the file, and it is made anew.",
    );
  return { privateJwk, publicJwks: { keys: keys.map(publicPart) } };
};

const keysOf = (text: string): readonly JWK[] | undefined => {
  try {
    const { keys } = JSON.parse(text) as { keys?: readonly JWK[] };
    return Array.isArray(keys) ? keys : undefined;
  } catch {
    return undefined;
  }
};

const makeKeys = (): Promise<JWK[]> =>
  Promise.all(
    KEY_ALGORITHMS.map(async (algorithm) => {
      const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
      const jwk = await exportJWK(privateKey);
      const kid = `local-${await calculateJwkThumbprint(jwk)}`;
      return { ...jwk, kid, use: "sig", ...(algorithm !== "RS256" && { alg: algorithm }) };
    }),
  );

const PUBLIC_MEMBERS = ["kty", "kid", "alg", "use", "crv", "x", "y", "n", "e"];

const publicPart = (jwk: JWK): JWK =>
  Object.fromEntries(Object.entries(jwk).filter(([name]) => PUBLIC_MEMBERS.includes(name))) as JWK;

/** Puts a whole file in place, unless one is there: a link, unlike a rename, leaves what another process just put there. */
const createFile = async (file: string, text: string): Promise<void> => {
  const folder = path.dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(path.join(folder, ".gitignore"), "*\n", { flag: "wx" }).catch(unlessExists);
  const draft = path.join(folder, `${randomUUID()}.tmp`);
  const handle = await open(draft, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await link(draft, file).catch(unlessExists);
  await unlink(draft);
};

const unlessExists = (error: NodeJS.ErrnoException): void => {
  if (error.code !== "EEXIST") throw error;
};

/** ES256 where the issuer allows it, else its first algorithm. */
export const signingAlgorithm = ({ algorithms }: IssuerPlan): string =>
  algorithms.includes("ES256") ? "ES256" : algorithms[0]!;

/** What a token says beside `iss`, `iat` and `exp`. */
export interface TokenContents {
  readonly subject: string;
  readonly audience: string | readonly string[];
  readonly scopes: readonly string[];
  readonly claims: Readonly<Record<string, unknown>>;
  readonly expiresInMs: number;
}

/** Signs a token of an issuer, with the secret's text or a private key. Times are whole seconds. */
export const signToken = async (
  plan: IssuerPlan,
  key: JWK | string,
  { subject, audience, scopes, claims, expiresInMs }: TokenContents,
  nowMs: number,
): Promise<string> => {
  const alg = signingAlgorithm(plan);
  const iat = Math.floor(nowMs / 1000);
  const payload: JWTPayload = {
    iss: plan.issuer,
    sub: subject,
    aud: audience as string | string[],
    iat,
    exp: iat + Math.floor(expiresInMs / 1000),
    ...(scopes.length > 0 && { scope: scopes.join(" ") }),
    ...claims,
  };
  const isSecret = typeof key === "string" && isSymmetric(alg);
  const signer = isSecret ? new TextEncoder().encode(key) : await importJWK(key as JWK, alg);
  const kid = typeof key === "string" ? undefined : key.kid;
  const header = { alg, typ: plan.type ?? "JWT", ...(kid !== undefined && { kid }) };
  return new SignJWT(payload).setProtectedHeader(header).sign(signer);
};

import { createSign, generateKeyPairSync, type KeyObject } from "node:crypto";

/** A certificate and its private key, in PEM. */
export interface Certified {
  readonly certificate: string;
  readonly key: string;
}

/** An authority of a test, and the certificates that it makes. */
export interface Authority {
  readonly certificate: string;
  /** A certificate for a name, and for the address 127.0.0.1. */
  certify(name: string): Certified;
}

/** An authority whose certificates are good for an hour. */
export const authority = (name: string): Authority => {
  const own = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const sign = (subject: string, key: KeyObject, isAuthority: boolean): string =>
    pem("CERTIFICATE", certificateOf({ subject, key, isAuthority, issuer: name, signer: own.privateKey }));
  return {
    certificate: sign(name, own.publicKey, true),
    certify: (subject) => {
      const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const key = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
      return { certificate: sign(subject, publicKey, false), key };
    },
  };
};

interface Certificate {
  readonly subject: string;
  readonly key: KeyObject;
  readonly isAuthority: boolean;
  readonly issuer: string;
  readonly signer: KeyObject;
}

/** RFC 5280 section 4.1, in DER: as much of it as TLS asks for. */
const certificateOf = ({ subject, key, isAuthority, issuer, signer }: Certificate): Buffer => {
  const now = Date.now();
  const body = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    tagged(0x02, Buffer.from([1 + Math.floor(Math.random() * 126)])),
    ECDSA_WITH_SHA256,
    nameOf(issuer),
    sequence(timeOf(now - 3_600_000), timeOf(now + 3_600_000)),
    nameOf(subject),
    key.export({ type: "spki", format: "der" }),
    tagged(0xa3, sequence(isAuthority ? IS_AUTHORITY : alternativeNames(subject))),
  );
  const signature = createSign("sha256").update(body).sign(signer);
  return sequence(body, ECDSA_WITH_SHA256, tagged(0x03, Buffer.concat([Buffer.from([0]), signature])));
};

const tagged = (tag: number, content: Buffer): Buffer => {
  const { length } = content;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
};

const sequence = (...parts: Buffer[]): Buffer => tagged(0x30, Buffer.concat(parts));

const object = (hex: string): Buffer => tagged(0x06, Buffer.from(hex, "hex"));

/** 1.2.840.10045.4.3.2 */
const ECDSA_WITH_SHA256 = sequence(object("2a8648ce3d040302"));

/** 2.5.4.3, the common name. */
const nameOf = (text: string): Buffer =>
  sequence(tagged(0x31, sequence(object("550403"), tagged(0x0c, Buffer.from(text)))));

const timeOf = (ms: number): Buffer =>
  tagged(0x18, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]/g, "").slice(0, 14)}Z`));

const TRUE = Buffer.from([0x01, 0x01, 0xff]);

/** 2.5.29.19, the basic constraints: critical, and that of an authority. */
const IS_AUTHORITY = sequence(object("551d13"), TRUE, tagged(0x04, sequence(TRUE)));

/** 2.5.29.17: the name, and the address of loopback. */
const alternativeNames = (name: string): Buffer =>
  sequence(
    object("551d11"),
    tagged(0x04, sequence(tagged(0x82, Buffer.from(name)), tagged(0x87, Buffer.from([127, 0, 0, 1])))),
  );

const pem = (label: string, der: Buffer): string =>
  `-----BEGIN ${label}-----\n${der
    .toString("base64")
    .replace(/.{64}/g, "$&\n")
    .trimEnd()}\n-----END ${label}-----\n`;

/** What Cloudflare's edge tells of a client's certificate; texts, and empty where there is none. */
export interface TlsClientAuth {
  readonly certPresented?: string;
  readonly certVerified?: string;
  readonly certRevoked?: string;
  readonly certFingerprintSHA256?: string;
  readonly certSubjectDN?: string;
  readonly certIssuerDN?: string;
  readonly certSerial?: string;
}

interface EdgeRequest extends Request {
  readonly cf?: {
    readonly colo?: string;
    readonly clientIp?: string;
    readonly tlsClientAuth?: TlsClientAuth;
  };
}

/**
 * The certificate that a client has shown; undefined where it has shown none. Only the edge names a data centre, and only workerd the
 * peer of its connection, where nobody has looked at a certificate. Header fields are not believed anywhere (S38).
 */
export const presentedCertificate = (request: Request): TlsClientAuth | undefined => {
  const { cf } = request as EdgeRequest;
  if (cf?.colo === undefined || cf.clientIp !== undefined) return undefined;
  return cf.tlsClientAuth?.certPresented === "1" ? cf.tlsClientAuth : undefined;
};

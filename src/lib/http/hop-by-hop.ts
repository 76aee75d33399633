/** Fields that speak of one connection or to one proxy, and that a cache does not store (RFC 9111 section 3.1). */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** Removes the hop-by-hop fields, and those that `Connection` names (RFC 9110 section 7.6.1), from headers of our own. */
export const removeHopByHop = (headers: Headers): void => {
  const connection = headers.get("connection");
  if (connection !== null) {
    for (const member of connection.split(",")) {
      const name = member.trim();
      if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) headers.delete(name);
    }
  }
  for (const name of HOP_BY_HOP) headers.delete(name);
};

import ipaddr from "ipaddr.js";

/**
 * Whether a host, as `URL` writes it, is by its letters an address that is not of the public internet: loopback, private,
 * link-local, metadata and the like. A name that resolves to one is caught by the network that the gateway runs on.
 */
export const isPrivateHost = (hostname: string): boolean => {
  const bare = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  if (bare === "localhost" || bare.endsWith(".localhost")) return true;
  return ipaddr.isValid(bare) && ipaddr.process(bare).range() !== "unicast";
};

import type { DiscoveryDocument } from "../config/documents/discovery.ts";
import type { UpstreamDocument } from "../config/documents/upstream.ts";
import { fault, placeAt } from "../config/tree.ts";
import type { Typed } from "../config/typing.ts";
import type { DiscoveryPlan } from "../core/upstream-plan.ts";
import { dnsQueryUrl } from "../lib/dns/query.ts";
import { isPrivateHost } from "../policies/network.ts";
import { defined } from "./defined.ts";
import type { Report } from "./ir.ts";

/** Compiles where an upstream's targets come from. */
export const compileDiscovery = (
  document: DiscoveryDocument,
  upstream: Typed<UpstreamDocument>,
  site: { readonly development: boolean; readonly report: Report },
): DiscoveryPlan => {
  const { dns, scheme, path = "", port, refresh } = document;
  const network = document.network ?? (site.development ? "private" : undefined);
  if (network !== "private") checkResolver(dns.resolver, upstream, site.report);
  const name = dns.name.toLowerCase().replace(/\.$/, "");
  return {
    url: dnsQueryUrl(new URL(dns.resolver).href, name, dns.type),
    name,
    type: dns.type,
    scheme,
    ...defined({ port: dns.type === "SRV" ? undefined : (port ?? 80), network }),
    basePath: path.replace(/\/+$/, ""),
    refreshMs: refresh,
  };
};

/** On the public network nobody but the resolver may say where requests go. */
const checkResolver = (resolver: string, upstream: Typed<UpstreamDocument>, report: Report): void => {
  const { protocol, hostname } = new URL(resolver);
  const tell = (code: string, message: string, remedy: string): void =>
    report(fault(placeAt(upstream.tree, ["discover", "dns", "resolver"]), code, message, remedy));
  if (isPrivateHost(hostname))
    tell(
      "private-address",
      `"${hostname}" is a private address.`,
      "Add `network: private` to `discover` if the gateway may reach it, and private targets.",
    );
  else if (protocol === "http:")
    tell(
      "insecure-url",
      "Without TLS, whoever stands on the way can name targets of their own.",
      `Write https, or \`network: private\` beside \`dns\` if "${hostname}" is on a network of yours.`,
    );
};

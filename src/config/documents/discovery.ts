import { z } from "zod";
import { isNormalPath } from "../../lib/path.ts";
import { duration, explain, oneOf } from "../../policies/shapes.ts";

const dns = z
  .strictObject({
    name: z
      .string()
      .describe(
        "The name that is asked for: _http._tcp.search.example.com for SRV, search.example.com for addresses.",
      ),
    type: oneOf("SRV", "A", "AAAA").describe(
      "SRV names hosts with their ports, and their priorities and weights are honored. A and AAAA name bare addresses: only plain workerd can call these, not Cloudflare's network, and the service sees the address in Host (the client's is in X-Forwarded-Host).",
    ),
    resolver: z
      .string()
      .superRefine((text, context) => {
        const fault = resolverFault(text);
        if (fault !== undefined)
          context.addIssue({ code: "custom", message: fault, params: { code: "bad-url" } });
      })
      .describe("Address of a resolver that speaks DNS over HTTPS (RFC 8484), without the query."),
  })
  .superRefine(({ name, type }, context) => {
    const message = nameFault(name, type);
    if (message !== undefined)
      context.addIssue({ code: "custom", path: ["name"], message, params: { code: "bad-host" } });
  });

const resolverFault = (text: string): string | undefined => {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    return explain(
      `"${text}" is not the address of a resolver.`,
      "Write a whole URL: https://dns.example.com/dns-query.",
    );
  if (url.username !== "" || url.password !== "")
    return explain(
      "A password does not belong in an address.",
      "Write the address without `user:password@`.",
    );
  if (/[?#{}]/.test(text))
    return explain(
      "The address of a resolver has no query, no fragment and no template.",
      "Write what stands before it: the gateway adds the question itself.",
    );
  return undefined;
};

const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
const HOST = new RegExp(`^(?:${LABEL}\\.)*${LABEL}\\.?$`);
const WORD = "_[A-Za-z0-9](?:[A-Za-z0-9-]{0,60}[A-Za-z0-9])?";
const SERVICE = new RegExp(`^${WORD}\\.${WORD}\\.(?:${LABEL}\\.)*${LABEL}\\.?$`);

/** SRV records stand under service and protocol (RFC 2782), addresses under names of hosts. */
const nameFault = (name: string, type: "SRV" | "A" | "AAAA"): string | undefined => {
  if (name.replace(/\.$/, "").length > 253)
    return explain("No name is that long.", "Write a name of at most 253 characters.");
  if (type === "SRV")
    return SERVICE.test(name)
      ? undefined
      : explain(
          `"${name}" is not the name of a service.`,
          "Write service, protocol and domain, as in _http._tcp.search.example.com, or `type: A` for the addresses of a host.",
        );
  return HOST.test(name)
    ? undefined
    : explain(
        `"${name}" is not a host name.`,
        "Write a name such as search.example.com, or `type: SRV` for one such as _http._tcp.search.example.com.",
      );
};

const HOUR_MS = 3_600_000;

/** Where targets come from that are not listed. */
export const discoverySchema = z
  .strictObject({
    dns: dns.describe("What is asked, and whom."),
    scheme: oneOf("https", "http")
      .default("https")
      .describe(
        "How targets are called. With https, a certificate has to bear the name that the SRV record gives; for an address none can be checked.",
      ),
    path: z
      .string()
      .refine((text) => isNormalPath(text, { encodedSlash: "keep", matrixParameters: "keep" }), {
        error: explain(
          "This is no path that every target can have.",
          "Write plain segments from the first slash on, as in /v1.",
        ),
      })
      .optional()
      .describe("Base path of every target."),
    port: z
      .number()
      .int()
      .min(1, explain("There is no such port.", "Write a whole number from 1 to 65535."))
      .max(65_535, explain("There is no such port.", "Write a whole number from 1 to 65535."))
      .optional()
      .describe("Port of every address; default 80. SRV records bring their own."),
    network: oneOf("public", "private")
      .optional()
      .describe(
        "`private` allows private addresses, of the resolver and of the targets that it names; without it they are left out. Link-local addresses in A and AAAA records, and with them the metadata services of clouds, are left out all the same. Default public, in development private.",
      ),
    refresh: duration()
      .refine((ms) => ms >= 1000 && ms <= HOUR_MS, {
        error: explain(
          "Targets cannot be looked up so often or so seldom.",
          "Write a duration from 1s to 1h: 30s.",
        ),
      })
      .prefault("30s")
      .describe(
        "The longest time between two look-ups. A record's time to live counts where it is shorter, though never for less than 5s. After a failure the next look-up comes after 1s, 2s, 4s and so on, up to `refresh` or 1m.",
      ),
  })
  .superRefine(({ dns: { type }, port, scheme }, context) => {
    if (type === "SRV" && port !== undefined)
      context.addIssue({
        code: "custom",
        path: ["port"],
        message: explain("SRV records bring the ports of their targets.", "Remove `port`."),
        params: { code: "conflicting-keys", onKey: true },
      });
    if (type !== "SRV" && scheme === "https")
      context.addIssue({
        code: "custom",
        path: ["dns", "type"],
        message: explain(
          "No certificate can be checked for an address, so https would prove nothing.",
          "Write `type: SRV`, whose targets have names, or `scheme: http` where the way to them is a network of yours.",
        ),
        params: { code: "conflicting-keys" },
      });
  })
  .describe(
    "Targets that DNS names, looked up over HTTPS beside the requests, in each isolate for itself. Only the first request of an isolate waits, for 3s at most. The last good answer is kept while the resolver fails, without limit; for ten minutes where it says that there is no such name or record; not where an SRV record for the root says so on purpose. Until there was a good answer, requests get 503. At most 100 targets, by priority and name.",
  );

export type DiscoveryDocument = z.output<typeof discoverySchema>;

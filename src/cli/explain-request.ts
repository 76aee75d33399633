import { InvalidArgumentError } from "commander";
import type { GatewayPlan } from "../core/plan.ts";
import type { Defer } from "../core/ports.ts";
import { RequestExchange } from "../runtime/exchange.ts";
import { CommandFailed } from "./failure.ts";
import type { Spoken } from "./rehearsal.ts";

/** Reads `GET https://api.example.com/users/42`; the method may be left out. */
export const spokenRequest = (words: readonly string[], headers: Headers): Spoken => {
  const line = words.join(" ").trim();
  const found = /^(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s+)?([A-Za-z][A-Za-z0-9+.-]*:\/\/\S+)$/.exec(line);
  const [, method = "GET", url] = found ?? [];
  if (url === undefined || !/^https?:\/\/[^/?#]/i.test(url))
    throw new CommandFailed(
      2,
      `"${line}" is not a request.`,
      "Write a method and a whole URL: postern explain 'GET https://api.example.com/users/42'.",
    );
  if (!/^[\x21-\x7e]*$/.test(url))
    throw new CommandFailed(
      2,
      "The URL holds characters that no client sends as they are.",
      "Write them as clients do, percent-encoded: %C3%A9 for é.",
    );
  const scheme = url.slice(0, url.indexOf(":")).toLowerCase();
  return { method, url: scheme + url.slice(scheme.length), headers };
};

/** Collects repeated `name: value` options. */
export const headerField = (text: string, earlier: Headers | undefined): Headers => {
  const colon = text.indexOf(":");
  const headers = earlier ?? new Headers();
  try {
    if (colon < 1) throw new Error("no name");
    headers.append(text.slice(0, colon).trim(), text.slice(colon + 1).trim());
  } catch {
    throw new InvalidArgumentError("Write a header field as name: value, as in 'x-version: 2'.");
  }
  return headers;
};

const NOWHERE: Defer = { waitUntil: () => undefined };

/** The request as the gateway sees it. */
export const exchangeOf = (spoken: Spoken, gateway: GatewayPlan): RequestExchange => {
  const ports = { clock: { now: () => 0 } } as ConstructorParameters<typeof RequestExchange>[2]["ports"];
  return new RequestExchange({ ...spoken, body: null } as unknown as Request, NOWHERE, {
    gateway,
    ports,
    platform: { isCloudflare: false },
  });
};

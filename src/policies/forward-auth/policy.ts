import { z } from "zod";
import { checkForward } from "../../core/check-forward.ts";
import { NOT_FORWARDED } from "../../core/forwarded-fields.ts";
import { type CompileContext, definePolicy, type Instance } from "../../core/policy.ts";
import { checkNetwork, networkAt, serviceUrl } from "../network.ts";
import { duration, explain, headerName, oneOf } from "../shapes.ts";
import { describe } from "./describe.ts";
import type { Step } from "./filter.ts";

const schema = z
  .strictObject({
    url: serviceUrl("a service", "https://auth.example.com/check").describe(
      "The service that is asked, by GET: 2xx lets in, 401 and 403 refuse, anything else is 503; https, unless it is on a private network.",
    ),
    network: oneOf("public", "private")
      .optional()
      .describe("`private` allows private addresses; a private address written as such says so already."),
    timeout: duration()
      .refine((ms) => ms >= 100 && ms <= 30_000, {
        error: explain("A caller does not wait for this.", "Write a duration from 100ms to 30s."),
      })
      .default(2000)
      .describe("How long the service may take; over it the answer is 503."),
    requestHeaders: z
      .array(headerName())
      .min(1)
      .default(["authorization", "cookie"])
      .describe(
        "The client's header fields that the service sees, beside X-Forwarded-Method, -Proto, -Host, -Uri and -For, which the gateway writes; a request with none of them has no credential, and the service is not asked.",
      ),
    identity: headerName().describe(
      "The header of its answer that says who calls; an answer of 2xx without it lets nobody in.",
    ),
    forward: z
      .array(headerName())
      .default([])
      .describe("Headers of its answer that go to the upstream; whatever a client sends there is deleted."),
    redirects: z
      .boolean()
      .default(false)
      .describe(
        "Passes on a 302, 303 or 307 of the service with its Location, to where one signs in; the service is then asked for every request.",
      ),
    forwardCredential: z
      .boolean()
      .default(false)
      .describe("Passes `requestHeaders` on to the upstream, which otherwise does not see them."),
  })
  .superRefine(checkNetwork("Without TLS, whoever stands on the way can let in whom they like."));

type Config = z.output<typeof schema>;

const compile = (instances: readonly Instance<Config>[], context: CompileContext): Step | undefined => {
  const instance = instances[0];
  if (instance === undefined) return undefined;
  const { url, network, timeout, requestHeaders, identity, forward, ...config } = instance.config;
  checkForward(instance, forward, context);
  checkRequestHeaders(instance, context);
  return {
    service: { url, network: networkAt(url, network), timeoutMs: timeout, requestHeaders },
    identity,
    forward,
    redirects: config.redirects,
    forwardCredential: config.forwardCredential,
  };
};

/** What the gateway says of a request cannot come of the client; nor what belongs to its connection. */
const checkRequestHeaders = (instance: Instance<Config>, context: CompileContext): void => {
  for (const [index, name] of instance.config.requestHeaders.entries()) {
    const isOurs = name.startsWith("x-forwarded-") || name === "forwarded";
    if (!isOurs && !NOT_FORWARDED.has(name)) continue;
    context.report(instance, ["requestHeaders", index], {
      code: "reserved-header",
      message: isOurs
        ? `"${name}" is written by the gateway: a client could say there what it likes.`
        : `The header "${name}" belongs to the connection of the client.`,
      remedy: "Remove it.",
    });
  }
};

/** Proves who calls by asking a service of one's own. */
export const forwardAuth = definePolicy({
  name: "forwardAuth",
  summary: "Proves who calls by asking a service for each request; what it says is not kept.",
  attachment: "identity",
  schema,
  compile,
  describe,
  filter: () => import("./filter.ts"),
});

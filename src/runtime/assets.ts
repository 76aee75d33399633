import { ASSETS, type AssetForm, type AssetPlan } from "../core/asset-plan.ts";
import type { Exchange } from "../core/exchange.ts";
import type { Handler } from "../core/policy.ts";
import type { Fetcher, Ports } from "../core/ports.ts";
import { problem } from "../core/problem.ts";
import { noneMatchNames } from "../lib/http/entity-tags.ts";

/**
 * Links a route that answers with files. They come through a binding; only what the plan names is ever asked for there. Where
 * the binding or the file is not there, the answer is 503: somebody forgot to deploy it with the bundle.
 */
export const linkAssets = (plan: AssetPlan, ports: Ports): Handler => {
  const files = new Map(Object.entries(plan.files));
  const { edits = [] } = plan;
  const fetcher = ports.fetch.open({ binding: ASSETS.binding });
  return (exchange) => {
    const file = files.get(exchange.path);
    if (file === undefined) return unknown(exchange);
    const { gzip } = file;
    const isZipped = gzip !== undefined && takesGzip(exchange.request.headers.get("accept-encoding"));
    const form = isZipped ? gzip : file.plain;
    const headers: Record<string, string> = { etag: form.etag, "cache-control": plan.cacheControl };
    if (gzip !== undefined) headers["vary"] = "accept-encoding";
    exchange.answerEdits.push(...edits);
    const known = exchange.request.headers.get("if-none-match");
    if (known !== null && noneMatchNames(known, form.etag))
      return new Response(null, { status: 304, headers });
    headers["content-type"] = file.type;
    if (isZipped) headers["content-encoding"] = "gzip";
    const init = { headers, encodeBody: isZipped ? "manual" : "automatic" };
    if (exchange.method === "HEAD") return new Response(null, init);
    return fetcher === undefined ? missing(exchange) : fetched(exchange, form, init, fetcher);
  };
};

const fetched = async (
  exchange: Exchange,
  form: AssetForm,
  init: ResponseInit,
  fetcher: Fetcher,
): Promise<Response> => {
  // Where it is answered from, the host counts for nothing.
  const answer = await fetcher.fetch(`https://assets.invalid/${form.name}`).catch(() => undefined);
  if (answer?.status === 200) return new Response(answer.body, init);
  await answer?.body?.cancel();
  return missing(exchange);
};

/** Whether gzip is acceptable (RFC 9110 section 12.5.3): named, or meant by `*`, and not with a weight of zero. */
const takesGzip = (field: string | null): boolean => {
  if (field === null) return false;
  let any = false;
  for (const member of field.toLowerCase().split(",")) {
    const [coding, ...parameters] = member.split(";").map((text) => text.trim());
    const isTaken = !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
    if (coding === "gzip" || coding === "x-gzip") return isTaken;
    if (coding === "*") any = isTaken;
  }
  return any;
};

const unknown = (exchange: Exchange): Response =>
  problem(exchange, {
    status: 404,
    code: "no-such-file",
    title: "Not found",
    detail: "There is no such file.",
  });

const missing = (exchange: Exchange): Response =>
  problem(exchange, {
    status: 503,
    code: "assets-missing",
    title: "Service unavailable",
    detail: "The files of the documentation were not deployed with the gateway.",
  });

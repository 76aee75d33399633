import type { UpstreamDocument } from "../config/documents/upstream.ts";
import type { Documents } from "../config/load.ts";
import { fault, placeAt } from "../config/tree.ts";
import type { Typed } from "../config/typing.ts";
import type { BalancerPlan, TargetPlan, UpstreamPlan } from "../core/plan.ts";
import type { Path } from "../core/policy.ts";
import { isPrivateHost } from "../policies/network.ts";
import type { Report } from "./ir.ts";

/** Compiles the upstreams, in the order of their names. */
export const compileUpstreams = (documents: Documents, report: Report): Record<string, UpstreamPlan> =>
  Object.fromEntries(
    documents.upstreams
      .toSorted((one, other) => (one.name < other.name ? -1 : 1))
      .map((upstream) => [upstream.name, compileUpstream(upstream, documents.development, report)]),
  );

const DEFAULT_BALANCER: BalancerPlan = { name: "smoothWeightedRoundRobin" };

const compileUpstream = (
  upstream: Typed<UpstreamDocument>,
  development: boolean,
  report: Report,
): UpstreamPlan => {
  const targets = Object.entries(upstream.value.targets).flatMap(
    ([name, target]) => compileTarget(name, target, upstream, { development, report }) ?? [],
  );
  const sound = targets.length === Object.keys(upstream.value.targets).length;
  if (sound && targets.every((target) => target.weight === 0)) {
    report(
      fault(
        placeAt(upstream.tree, ["targets"], true),
        "bad-value",
        `All targets of "${upstream.name}" have the weight 0.`,
        "Give at least one of them a weight.",
      ),
    );
  }
  return {
    balancer: (upstream.value.balancer as BalancerPlan | undefined) ?? DEFAULT_BALANCER,
    targets,
    timeoutMs: upstream.value.timeout,
  };
};

type TargetDocument = UpstreamDocument["targets"][string];

const compileTarget = (
  name: string,
  target: TargetDocument,
  upstream: Typed<UpstreamDocument>,
  { development, report }: { development: boolean; report: Report },
): TargetPlan | undefined => {
  const tell = (path: Path, onKey: boolean, code: string, message: string, remedy: string): void =>
    report(fault(placeAt(upstream.tree, ["targets", name, ...path], onKey), code, message, remedy));
  const { url, binding, network, weight } = target;
  if (url !== undefined && binding !== undefined) {
    tell(
      [],
      true,
      "conflicting-keys",
      `The target "${name}" has two addresses.`,
      "Keep `url` or `binding`, not both.",
    );
    return undefined;
  }
  if (binding !== undefined) {
    if (network !== undefined)
      tell(["network"], true, "conflicting-keys", "A service binding needs no network.", "Remove `network`.");
    return {
      name,
      weight,
      binding,
      origin: "http://" + binding.toLowerCase().replaceAll("_", "-"),
      basePath: "",
    };
  }
  if (url === undefined) {
    tell([], true, "missing-key", `The target "${name}" has no address.`, "Give it a `url` or a `binding`.");
    return undefined;
  }
  const parsed = targetUrl(url);
  if (typeof parsed === "string") {
    const remedy = "Write scheme, host and an optional base path: https://orders.example.com/v1.";
    tell(["url"], false, "bad-url", parsed, remedy);
    return undefined;
  }
  const isPrivate = isPrivateHost(parsed.hostname);
  if (isPrivate && network !== "private" && !development) {
    const remedy = "Add `network: private` if the gateway may reach it.";
    tell(["url"], false, "private-address", `"${parsed.hostname}" is a private address.`, remedy);
  }
  const reached = network ?? (isPrivate ? "private" : undefined);
  return {
    name,
    weight,
    origin: parsed.origin,
    basePath: parsed.pathname.replace(/\/+$/, ""),
    ...(reached === undefined ? {} : { network: reached }),
  };
};

const targetUrl = (text: string): URL | string => {
  if (!URL.canParse(text)) return "This is not a URL.";
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") return "A target is reached by http or https.";
  if (url.search !== "" || url.hash !== "" || text.includes("?") || text.includes("#"))
    return "A target has no query and no fragment.";
  if (url.username !== "" || url.password !== "") return "A credential does not belong in a URL.";
  return url;
};

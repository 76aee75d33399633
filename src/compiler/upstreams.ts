import type { UpstreamDocument } from "../config/documents/upstream.ts";
import type { Documents } from "../config/load.ts";
import { fault, placeAt } from "../config/tree.ts";
import type { Typed } from "../config/typing.ts";
import type { BalancerPlan, TargetPlan, UpstreamPlan } from "../core/plan.ts";
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
  const place = (key: string, onKey = false) => placeAt(upstream.tree, ["targets", name, key], onKey);
  if ((target.url === undefined) === (target.binding === undefined)) {
    const [what, remedy] =
      target.url === undefined
        ? ["has no address", "Give it a `url` or a `binding`."]
        : ["has two addresses", "Keep `url` or `binding`, not both."];
    report(
      fault(
        placeAt(upstream.tree, ["targets", name], true),
        target.url === undefined ? "missing-key" : "conflicting-keys",
        `The target "${name}" ${what}.`,
        remedy,
      ),
    );
    return undefined;
  }
  if (target.binding !== undefined) {
    if (target.network !== undefined)
      report(
        fault(
          place("network", true),
          "conflicting-keys",
          "A service binding needs no network.",
          "Remove `network`.",
        ),
      );
    return {
      name,
      weight: target.weight,
      binding: target.binding,
      origin: "http://" + target.binding.toLowerCase().replaceAll("_", "-"),
      basePath: "",
    };
  }
  const url = targetUrl(target.url!);
  if (typeof url === "string") {
    report(
      fault(
        place("url"),
        "bad-url",
        url,
        "Write scheme, host and an optional base path: https://orders.example.com/v1.",
      ),
    );
    return undefined;
  }
  const isPrivate = isPrivateHost(url.hostname);
  if (isPrivate && target.network !== "private" && !development) {
    report(
      fault(
        place("url"),
        "private-address",
        `"${url.hostname}" is a private address.`,
        "Add `network: private` if the gateway may reach it.",
      ),
    );
  }
  const network = target.network ?? (isPrivate ? "private" : undefined);
  return {
    name,
    weight: target.weight,
    origin: url.origin,
    basePath: url.pathname.replace(/\/+$/, ""),
    ...(network === undefined ? {} : { network }),
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

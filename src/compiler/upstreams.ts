import type { UpstreamDocument } from "../config/documents/upstream.ts";
import type { Documents } from "../config/load.ts";
import { fault, placeAt } from "../config/tree.ts";
import type { Typed } from "../config/typing.ts";
import type { Path } from "../core/policy.ts";
import type { BalancerPlan, TargetPlan, UpstreamPlan } from "../core/upstream-plan.ts";
import { isPrivateHost } from "../policies/network.ts";
import { checkCredentialFields } from "./credential-fields.ts";
import { certifiedTargets, compileCredential } from "./credentials.ts";
import { defined } from "./defined.ts";
import { compileDiscovery } from "./discovery.ts";
import type { Report } from "./ir.ts";
import { targetUrl } from "./target-url.ts";
import { trafficPlan } from "./traffic.ts";

/** Compiles the upstreams, in the order of their names. */
export const compileUpstreams = (
  documents: Documents,
  secrets: Set<string>,
  report: Report,
): Record<string, UpstreamPlan> => {
  const { development, gateway } = documents;
  const site = { development, gateway: gateway?.value.name ?? "", secrets, report };
  checkCredentialFields(documents, report);
  return Object.fromEntries(
    documents.upstreams
      .toSorted((one, other) => (one.name < other.name ? -1 : 1))
      .map((upstream) => [upstream.name, compileUpstream(upstream, site)]),
  );
};

interface Site {
  readonly development: boolean;
  /** The gateway's name; empty where the gateway is at fault, and no plan comes of it. */
  readonly gateway: string;
  readonly secrets: Set<string>;
  readonly report: Report;
}

const DEFAULT_BALANCER: BalancerPlan = { name: "smoothWeightedRoundRobin" };

const compileUpstream = (upstream: Typed<UpstreamDocument>, site: Site): UpstreamPlan => {
  const { value } = upstream;
  return {
    balancer: (value.balancer as BalancerPlan | undefined) ?? DEFAULT_BALANCER,
    targets: certifiedTargets(compileTargets(upstream, site), upstream, site.report),
    timeoutMs: value.timeout,
    ...trafficPlan(value),
    ...defined({
      idempotentBy: value.idempotentBy,
      discovery: value.discover && compileDiscovery(value.discover, upstream, site),
      credential:
        value.credential &&
        compileCredential(value.credential, {
          gateway: site.gateway,
          secret: (name) => site.secrets.add(name),
        }),
    }),
  };
};

const compileTargets = (upstream: Typed<UpstreamDocument>, site: Site): readonly TargetPlan[] => {
  const { targets: written, discover } = upstream.value;
  const tell = (path: Path, code: string, message: string, remedy: string): void =>
    site.report(fault(placeAt(upstream.tree, path, true), code, message, remedy));
  if (written === undefined) {
    // Targets that are written and at fault are told of where they are.
    if (
      discover === undefined &&
      !upstream.tree.entries?.has("targets") &&
      !upstream.tree.entries?.has("discover")
    )
      tell(
        [],
        "missing-key",
        `The upstream "${upstream.name}" has no target.`,
        'Name at least one: targets: { main: { url: "https://orders.example.com" } }.',
      );
    return [];
  }
  if (discover !== undefined)
    tell(
      ["discover"],
      "conflicting-keys",
      `The targets of "${upstream.name}" are listed and discovered.`,
      "Keep `targets` or `discover`, not both.",
    );
  const targets = Object.entries(written).flatMap(
    ([name, target]) => compileTarget(name, target, upstream, site) ?? [],
  );
  const sound = targets.length === Object.keys(written).length;
  if (sound && targets.every((target) => target.weight === 0))
    tell(
      ["targets"],
      "bad-value",
      `All targets of "${upstream.name}" have the weight 0.`,
      "Give at least one of them a weight.",
    );
  return targets;
};

type TargetDocument = NonNullable<UpstreamDocument["targets"]>[string];

const compileTarget = (
  name: string,
  target: TargetDocument,
  upstream: Typed<UpstreamDocument>,
  { development, report }: Site,
): TargetPlan | undefined => {
  const tell = (path: Path, onKey: boolean, code: string, message: string, remedy: string): void =>
    report(fault(placeAt(upstream.tree, ["targets", name, ...path], onKey), code, message, remedy));
  const { url, binding, network } = target;
  const common = { name, weight: target.weight, ...defined({ priority: target.priority || undefined }) };
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
      ...common,
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
  if (!(parsed instanceof URL)) {
    tell(["url"], false, parsed.code, parsed.message, parsed.remedy);
    return undefined;
  }
  const isPrivate = isPrivateHost(parsed.hostname);
  if (isPrivate && network !== "private" && !development) {
    const remedy = "Add `network: private` if the gateway may reach it.";
    tell(["url"], false, "private-address", `"${parsed.hostname}" is a private address.`, remedy);
  }
  const reached = network ?? (isPrivate ? "private" : undefined);
  return {
    ...common,
    origin: parsed.origin,
    basePath: parsed.pathname.replace(/\/+$/, ""),
    ...(reached === undefined ? {} : { network: reached }),
  };
};

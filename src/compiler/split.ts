import { fault, placeAt } from "../config/tree.ts";
import { isBroken } from "../config/typing.ts";
import type { LanePlan, StickyPlan } from "../core/plan.ts";
import type { Path } from "../core/policy.ts";
import type { ApiAction } from "./ir.ts";
import type { ActionSite } from "./rewrites.ts";

/** The shares of all lanes come to 100%. */
export const checkShares = (
  lanes: readonly LanePlan[],
  at: Path,
  { documents, report }: ActionSite,
): void => {
  const total = lanes.reduce((sum, { share }) => sum + share, 0);
  if (Math.abs(total - 1) <= 1e-6) return;
  report(
    fault(
      placeAt(documents.tree, at, true),
      "bad-value",
      `The shares of the lanes come to ${Math.round(total * 10_000) / 100}%.`,
      "Change them so that they come to 100%.",
    ),
  );
};

type StickyDocument = NonNullable<NonNullable<ApiAction["split"]>["sticky"]>;

const DEFAULT_MAX_AGE_MS = 30 * 86_400_000;

/** What keeps callers in their lanes. */
export const compileSticky = (
  { by, name = "", maxAge }: StickyDocument,
  at: Path,
  site: ActionSite,
): StickyPlan => {
  switch (by) {
    case "identity":
      return { by };
    case "ip":
      checkClientIp([...at, "by"], site);
      return { by };
    case "header":
      return { by, name: name.toLowerCase() };
    case "cookie":
      return { by, name, maxAgeSeconds: Math.floor((maxAge ?? DEFAULT_MAX_AGE_MS) / 1000) };
  }
};

const checkClientIp = (at: Path, { documents, report }: ActionSite): void => {
  const { gateway, broken, tree } = documents;
  if (gateway === undefined || gateway.value.clientIp !== undefined) return;
  if (isBroken(broken, ["gateway", "clientIp"])) return;
  report(
    fault(
      placeAt(tree, at),
      "client-ip-unknown",
      "The gateway does not know the addresses of its clients.",
      "Write `clientIp:` under `gateway:`, with cloudflare, connection or forwardedFor.",
    ),
  );
};

import { anyOf, didYouMean } from "../config/faults.ts";
import type { Documents } from "../config/load.ts";
import { fault, placeAt, placeInText, treeAt } from "../config/tree.ts";
import type { ActionPlan, RedirectPlan, RewritePlan } from "../core/plan.ts";
import type { Path } from "../core/policy.ts";
import type { Template } from "../core/template.ts";
import type { Report, RouteIr } from "./ir.ts";
import { compileTemplate } from "./template.ts";

/** What actions are compiled against. */
export interface ActionSite {
  readonly documents: Documents;
  readonly usedUpstreams: Set<string>;
  readonly report: Report;
  /** Whether the route knows its caller, so that templates may name them. */
  readonly identified: boolean;
}

const KINDS = ["upstream", "redirect", "respond"] as const;

/** What a route does with a request that passed its policies: its own action, or its api's upstream. */
export const compileAction = (route: RouteIr, site: ActionSite): ActionPlan | undefined => {
  const own = KINDS.filter((kind) => route.document?.[kind] !== undefined);
  if (own.length > 1) {
    site.report(
      fault(
        at(route, site, [own[1]!], true),
        "conflicting-keys",
        `"${route.id}" has ${own.map((kind) => `"${kind}"`).join(" and ")}.`,
        "Keep exactly one of upstream, redirect and respond.",
      ),
    );
    return undefined;
  }
  const kind = own[0] ?? "upstream";
  if (kind !== "upstream" && route.document?.rewrite !== undefined) {
    site.report(
      fault(
        at(route, site, ["rewrite"], true),
        "conflicting-keys",
        `"${route.id}" rewrites a request that goes to no upstream.`,
        "Remove `rewrite`.",
      ),
    );
  }
  if (kind === "respond") return respond(route, site);
  if (kind === "redirect") return redirect(route, site);
  return forward(route, site);
};

const at = (route: RouteIr, site: ActionSite, path: Path, onKey = false) =>
  placeAt(site.documents.tree, [...route.documentPath, ...path], onKey);

const respond = (route: RouteIr, site: ActionSite): ActionPlan => {
  const { status, headers, body } = route.document!.respond!;
  if (body !== undefined && [204, 205, 304].includes(status)) {
    site.report(
      fault(
        at(route, site, ["respond", "body"], true),
        "bad-value",
        `An answer of status ${status} has no body (RFC 9110 section 15).`,
        "Remove the body, or choose another status.",
      ),
    );
  }
  return { kind: "respond", status, headers, body: body ?? null };
};

const redirect = (route: RouteIr, site: ActionSite): ActionPlan => {
  const { status, scheme, host, port, path, prefix } = route.document!.redirect!;
  if (path !== undefined && prefix !== undefined) {
    site.report(
      fault(
        at(route, site, ["redirect", "prefix"], true),
        "conflicting-keys",
        "A redirect replaces the path or its prefix, not both.",
        "Remove one of the two.",
      ),
    );
  }
  if (
    scheme === undefined &&
    host === undefined &&
    port === undefined &&
    path === undefined &&
    prefix === undefined
  ) {
    site.report(
      fault(
        at(route, site, ["redirect"], true),
        "redirect-loop",
        "This redirects every request to itself.",
        "Change the scheme, host, port or path.",
      ),
    );
  }
  const plan: RedirectPlan = {
    kind: "redirect",
    status,
    ...defined({ scheme, host: host?.toLowerCase(), port }),
  };
  if (path !== undefined) return { ...plan, path: template(path, ["redirect", "path"], route, site) };
  return prefix === undefined
    ? plan
    : { ...plan, ...replacePrefix(prefix, ["redirect", "prefix"], route, site) };
};

const forward = (route: RouteIr, site: ActionSite): ActionPlan | undefined => {
  const own = route.document?.upstream;
  const name = own ?? route.apiDocument.upstream;
  if (name === undefined) {
    site.report(
      fault(
        route.place,
        "action-missing",
        `Nothing answers the requests of "${route.id}".`,
        "Give it, or its api, one of upstream, redirect and respond.",
      ),
    );
    return undefined;
  }
  const known = site.documents.tree.entries?.get("upstreams")?.entries;
  if (!known?.has(name)) {
    const place = placeAt(site.documents.tree, [
      ...(own === undefined ? route.apiPath : route.documentPath),
      "upstream",
    ]);
    const names = [...(known?.keys() ?? [])];
    site.report(
      fault(
        place,
        "unknown-name",
        `There is no upstream "${name}".`,
        didYouMean(name, names) ??
          (names.length > 0 ? `Name one of ${anyOf(names)}.` : "Describe it under `upstreams:`."),
      ),
    );
    return undefined;
  }
  site.usedUpstreams.add(name);
  const timeoutMs = route.document?.timeout ?? route.apiDocument.timeout;
  const rewrite = rewritePlan(route, site);
  return { kind: "forward", upstream: name, ...defined({ timeoutMs, rewrite }) };
};

const rewritePlan = (route: RouteIr, site: ActionSite): RewritePlan | undefined => {
  const { path, prefix, host } = route.document?.rewrite ?? {};
  const common = defined({ host: host?.toLowerCase() });
  if (path !== undefined && prefix !== undefined) {
    site.report(
      fault(
        at(route, site, ["rewrite", "prefix"], true),
        "conflicting-keys",
        "A rewrite replaces the path or its prefix, not both.",
        "Remove one of the two.",
      ),
    );
  }
  if (path !== undefined) return { ...common, path: template(path, ["rewrite", "path"], route, site) };
  if (prefix !== undefined)
    return { ...common, ...replacePrefix(prefix, ["rewrite", "prefix"], route, site) };
  if (route.documentPrefix !== "")
    return { ...common, strip: literalText(route.documentPrefix).length, prefix: "" };
  return host === undefined ? undefined : common;
};

/** The prefix that all matches of a route share is the one that can be replaced. */
const replacePrefix = (
  prefix: string,
  path: Path,
  route: RouteIr,
  site: ActionSite,
): { strip: number; prefix: string } => {
  const texts = new Set(
    route.documentPrefix !== ""
      ? [literalText(route.documentPrefix)]
      : route.matches.map((match) =>
          match.prefix
            ? match.segments.map((segment) => "/" + (segment.kind === "literal" ? segment.text : "")).join("")
            : "?",
        ),
  );
  const [text] = texts;
  if (texts.size !== 1 || text === undefined || text === "?") {
    site.report(
      fault(
        at(route, site, path, true),
        "prefix-missing",
        "There is no one prefix that could be replaced here.",
        "Match by one `pathPrefix`, or write the whole path.",
      ),
    );
    return { strip: 0, prefix: "" };
  }
  const clean = literalText(prefix.replace(/\/+$/, ""));
  return { strip: text.length, prefix: clean };
};

/** A prefix in the form of normalized paths. */
const literalText = (prefix: string): string => encodeURI(prefix);

const template = (text: string, path: Path, route: RouteIr, site: ActionSite): Template => {
  const compiled = compileTemplate(text, { params: route.params, claims: [], identified: site.identified });
  for (const { offset, length, message, remedy } of compiled.faults) {
    const tree = treeAt(site.documents.tree, [...route.documentPath, ...path]);
    site.report(
      fault(
        tree === undefined ? at(route, site, path) : placeInText(tree, offset, length),
        "template-unknown-name",
        message,
        remedy,
      ),
    );
  }
  return compiled.template;
};

/** The members of an object that are there, for plans without holes. */
export const defined = <T extends object>(members: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as never;

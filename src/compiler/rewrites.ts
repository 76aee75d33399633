import type { Documents } from "../config/load.ts";
import { fault, placeAt, placeInText, treeAt } from "../config/tree.ts";
import type { Place } from "../core/diagnostic.ts";
import type { CallerReference, Path } from "../core/policy.ts";
import type { Template } from "../core/template.ts";
import { normalizePath } from "../lib/path.ts";
import type { TemplateSegment } from "../lib/path-template.ts";
import type { Report, RouteIr } from "./ir.ts";
import { callerReferences, compileTemplate } from "./template.ts";

/** What actions are compiled against. */
export interface ActionSite {
  readonly documents: Documents;
  readonly report: Report;
  /** Whether the route knows its caller, so that templates may name them. */
  readonly identified: boolean;
  /** Claims that templates may quote. */
  readonly claims: readonly string[];
  /** Header fields in which the route's identity policies look for credentials. */
  readonly credentialFields?: readonly string[];
  /** Takes down what templates say of the route's caller. */
  readonly callerTold?: CallerReference[];
}

/** The place of something below a route. */
export const routePlace = (route: RouteIr, site: ActionSite, path: Path, onKey = false): Place =>
  placeAt(site.documents.tree, [...route.documentPath, ...path], onKey);

/** Tells that two keys of a route do not go together. */
export const conflict = (
  route: RouteIr,
  site: ActionSite,
  path: Path,
  message: string,
  remedy: string,
): void => site.report(fault(routePlace(route, site, path, true), "conflicting-keys", message, remedy));

/** A text below a route with its references, each of which names something there. */
export const textTemplate = (text: string, path: Path, route: RouteIr, site: ActionSite): Template =>
  soundTemplate(text, path, route, site).template;

const soundTemplate = (
  text: string,
  path: Path,
  route: RouteIr,
  site: ActionSite,
): { readonly template: Template; readonly isSound: boolean } => {
  const { template, faults } = compileTemplate(text, {
    params: route.params,
    claims: site.claims,
    identified: site.identified,
  });
  const tree = treeAt(site.documents.tree, [...route.documentPath, ...path]);
  for (const { offset, length, code, message, remedy } of faults) {
    const place = tree === undefined ? routePlace(route, site, path) : placeInText(tree, offset, length);
    site.report(fault(place, code, message, remedy));
  }
  site.callerTold?.push(...callerReferences(template, path));
  return { template, isSound: faults.length === 0 };
};

/** The path that a rewrite, a redirect or a call writes; its text is in normal form, or no request could pass. */
export const pathTemplate = (text: string, path: Path, route: RouteIr, site: ActionSite): Template => {
  const { template, isSound } = soundTemplate(text, path, route, site);
  if (isSound) checkNormal(template, path, route, site);
  const rest = restNames(route);
  return template.map((part) =>
    typeof part !== "string" && part.from === "params" && rest.has(part.name)
      ? { ...part, verbatim: true }
      : part,
  );
};

/** Parameters that take what remains of the path, in every match of the route. */
export const restNames = ({ matches }: Pick<RouteIr, "matches">): ReadonlySet<string> => {
  const perMatch = matches.map(({ segments }) =>
    segments.flatMap((segment) => (segment.kind === "rest" ? [segment.name] : [])),
  );
  return new Set(perMatch[0]?.filter((name) => perMatch.every((names) => names.includes(name))));
};

/** Stands in for a reference; no path has it by chance. */
const mark = (index: number): string => `~${index}~`;

const checkNormal = (template: Template, path: Path, route: RouteIr, site: ActionSite): void => {
  const report = (message: string, remedy: string): void =>
    site.report(fault(routePlace(route, site, path), "bad-path", message, remedy));
  if (template.some((part) => typeof part === "string" && /[{}]/.test(part))) {
    report(
      "A brace stands here that belongs to no reference.",
      "Write references as {params.orderId}, and a brace itself as %7B or %7D.",
    );
    return;
  }
  const text = template.map((part, index) => (typeof part === "string" ? part : mark(index))).join("");
  const normal = normalizePath(text, { encodedSlash: "keep", matrixParameters: "keep" });
  if ("path" in normal && normal.path === text) return;
  if (/[?#]/.test(text)) {
    report(
      "A path has no query and no fragment.",
      path[0] === "aggregate"
        ? "Remove what begins with ? or #, and write parameters under `query`."
        : "Remove what begins with ? or #: the query of the request goes along.",
    );
    return;
  }
  report(
    "This path is not in the form in which paths are compared and sent on.",
    "path" in normal
      ? `Write "${normal.path.replace(/~(\d+)~/g, (found, index) => referenceText(template[Number(index)], found))}".`
      : "Write plain segments, other signs percent-encoded.",
  );
};

const referenceText = (part: Template[number] | undefined, otherwise: string): string =>
  typeof part === "object" ? `{${part.from}${part.name === "" ? "" : `.${part.name}`}}` : otherwise;

/** The prefix that all matches of a route share is the one that can be replaced. */
export const replacePrefix = (
  prefix: string,
  path: Path,
  route: RouteIr,
  site: ActionSite,
): { strip: number; prefix: string } => {
  const texts = new Set(
    route.documentPrefix !== ""
      ? [normalText(route.documentPrefix)]
      : route.matches.map((match) => (match.prefix ? prefixText(match.segments) : undefined)),
  );
  const [text] = texts;
  if (texts.size !== 1 || text === undefined) {
    site.report(
      fault(
        routePlace(route, site, path, true),
        "prefix-missing",
        "There is no one prefix that could be replaced here.",
        "Match by one `pathPrefix`, or write the whole path.",
      ),
    );
    return { strip: 0, prefix: "" };
  }
  const wanted = prefix.replace(/\/+$/, "");
  const normal = wanted === "" ? "" : normalText(wanted);
  if (normal !== wanted) {
    site.report(
      fault(
        routePlace(route, site, path),
        "bad-path",
        "This prefix is not in the form in which paths are compared and sent on.",
        normal === undefined ? "Write plain segments, as in /v1." : `Write ${normal}.`,
      ),
    );
  }
  return { strip: text.length, prefix: normal ?? "" };
};

/** A prefix as requests have it once their path is normalized; undefined where none can. */
export const normalText = (prefix: string): string | undefined => {
  const normal = normalizePath(prefix.replaceAll(" ", "%20"), {
    encodedSlash: "keep",
    matrixParameters: "keep",
  });
  return "path" in normal ? normal.path : undefined;
};

const prefixText = (segments: readonly TemplateSegment[]): string =>
  segments.map((segment) => "/" + (segment.kind === "literal" ? segment.text : "")).join("");

import { anyOf, nearestName } from "../config/faults.ts";
import type { CallerReference, Path } from "../core/policy.ts";
import type { Template, TemplatePart, TemplateSource } from "../core/template.ts";

/** What templates of one route may name. */
export interface TemplateNames {
  readonly params: readonly string[];
  readonly claims: readonly string[];
  /** Whether a caller is known: without, identity and claims cannot be named. */
  readonly identified: boolean;
}

/** A fault inside of a text. */
export interface TextFault {
  readonly offset: number;
  readonly length: number;
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

const REFERENCE = /\{([A-Za-z_][A-Za-z0-9_.-]*)\}/g;

/** Compiles `{params.x}` and the like to parts; every unknown name is a fault with its offset in the text. */
export const compileTemplate = (
  text: string,
  names: TemplateNames,
): { readonly template: Template; readonly faults: readonly TextFault[] } => {
  const parts: TemplatePart[] = [];
  const faults: TextFault[] = [];
  let from = 0;
  for (const found of text.matchAll(REFERENCE)) {
    if (found.index > from) parts.push(text.slice(from, found.index));
    from = found.index + found[0].length;
    const reference = referenceOf(found[1]!, names);
    if ("from" in reference) parts.push(reference);
    else
      faults.push({
        offset: found.index,
        length: found[0].length,
        code: "template-unknown-name",
        ...reference,
      });
  }
  if (from < text.length) parts.push(text.slice(from));
  return { template: parts, faults };
};

/** What a template says of the caller, with the place where it stands. */
export const callerReferences = (template: Template, at: Path): readonly CallerReference[] =>
  template.flatMap((part) =>
    typeof part !== "string" && (part.from === "identity" || part.from === "claims")
      ? [{ where: at.join("."), from: part.from, name: part.name }]
      : [],
  );

type Wrong = { readonly message: string; readonly remedy: string };
type Found = Exclude<TemplatePart, string> | Wrong;

const referenceOf = (path: string, names: TemplateNames): Found => {
  const dot = path.indexOf(".");
  const source = dot < 0 ? path : path.slice(0, dot);
  const name = dot < 0 ? "" : path.slice(dot + 1);
  const known: Readonly<Record<TemplateSource, readonly string[]>> = {
    params: names.params,
    identity: names.identified ? ["id", "kind", "issuer", "subject"] : [],
    claims: names.identified ? names.claims : [],
    client: ["ip"],
    request: ["method", "scheme", "host", "path", "query"],
  };
  if (!Object.hasOwn(known, source)) return unknownSource(path, names.params);
  const members = known[source as TemplateSource];
  if (members.includes(name)) return { from: source as TemplateSource, name };
  if (members.length === 0 && source !== "params") {
    return {
      message: `"{${path}}" names a caller, and this route does not ask who is calling.`,
      remedy: "Attach an identity policy such as jwt, or remove it.",
    };
  }
  return { message: `"{${path}}" names nothing here.`, remedy: memberRemedy(source, name, members) };
};

const unknownSource = (path: string, params: readonly string[]): Wrong => {
  // As the path of a match writes it.
  const bare = path.replace(/\.\.\.$/, "");
  return {
    message: `"{${path}}" names nothing.`,
    remedy: params.includes(bare)
      ? `Write {params.${bare}}.`
      : "A template names one of {params.…}, {identity.…}, {claims.…}, {client.ip} and {request.…}.",
  };
};

const memberRemedy = (source: string, name: string, members: readonly string[]): string => {
  const near = nearestName(name, members);
  if (near !== undefined) return `Did you mean {${source}.${near}}?`;
  if (source === "claims") return "Declare the claim and its type under `claims` of its issuer.";
  return members.length > 0
    ? `Write ${anyOf(members.map((member) => `{${source}.${member}}`))}.`
    : "Remove it: this route has no parameters.";
};

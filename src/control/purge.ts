import { problem } from "../core/problem.ts";
import {
  EVERYTHING,
  MOST_PREFIX_SEGMENTS,
  MOST_TAG_CHARACTERS,
  type PurgeScope,
  tagScope,
} from "../core/purge.ts";
import { readPurgeUrl, scopeOfPrefix, scopeOfUrl } from "../core/purge-target.ts";
import { bodyTooLarge, readBody } from "../core/request-body.ts";
import { CONTROL_PREFIX, type ControlRoute } from "./app.ts";
import { isBearer } from "./bearer.ts";

const MOST_BYTES = 64 * 1024;
/** Tags, prefixes and URLs of one request together. */
const MOST_SCOPES = 1000;
/** So many faults are told. */
const MOST_FAULTS = 20;

/**
 * `POST /__postern/purge` with `{ tags, prefixes, urls, everything }`: purges here at once, and answers when the log has it, so
 * that the others know within the time that the answer states. Its credential opens nothing else, and no other opens it.
 */
export const purgeRoute: ControlRoute = (app, { plan, ports }) => {
  const { purges, secrets, random } = ports;
  const { control, purges: known } = plan.gateway;
  const token = control?.purgeToken === undefined ? undefined : secrets.get(control.purgeToken);
  app.post(`${CONTROL_PREFIX}purge`, async (context) => {
    const { req } = context;
    if (purges === undefined || !(await isBearer(req.header("authorization"), token)))
      return context.notFound();
    const visit = {
      method: "POST",
      request: req.raw,
      requestBody: undefined,
      requestId: random.uuid(),
      problemCode: undefined,
    };
    const body = await readBody(visit, MOST_BYTES);
    if (body === "too-large") return bodyTooLarge(visit, MOST_BYTES);
    const wanted = body === "broken" ? BROKEN : readWanted(body);
    if ("faults" in wanted) {
      const errors = wanted.faults.slice(0, MOST_FAULTS);
      return problem(visit, { ...MALFORMED, extensions: { errors } });
    }
    const isTold = await purges.purge(wanted.scopes, context.executionCtx);
    if (!isTold) return problem(visit, NOT_TOLD);
    const purged = wanted.scopes.length;
    const answer =
      known === "redis" ? { purged, everywhere: true, within: "5s" } : { purged, everywhere: false };
    return context.json(answer, 200, { "cache-control": "no-store" });
  });
};

const MALFORMED = {
  status: 400,
  code: "malformed-purge",
  title: "Bad request",
  detail: "Nothing was purged: `errors` says what is wrong.",
};

const NOT_TOLD = {
  status: 503,
  code: "purge-not-told",
  title: "Service unavailable",
  detail:
    "The purge holds in the isolate that answered, but Redis, by which the others learn of it, does not answer.",
  headers: { "retry-after": "2" },
};

interface Wrong {
  /** JSON Pointer into the body (RFC 6901), as a fragment. */
  readonly pointer: string;
  readonly detail: string;
}

type Wanted = { readonly scopes: readonly PurgeScope[] } | { readonly faults: readonly Wrong[] };

const failed = (pointer: string, detail: string): { readonly faults: readonly Wrong[] } => ({
  faults: [{ pointer, detail }],
});

const BROKEN = failed("#", "The body broke off.");

/** A scope, or what is wrong with what was written. */
type Read = (text: string) => PurgeScope | { readonly detail: string };

const NO_URL = { detail: "Write an absolute URL without a fragment: https://api.example.com/orders." };
const NO_PATH = { detail: "No request has such a path." };

const READERS: Readonly<Record<string, Read>> = {
  tags: (tag) =>
    tag !== "" && tag.length <= MOST_TAG_CHARACTERS && tag.isWellFormed()
      ? tagScope(tag)
      : { detail: `A tag has 1 to ${MOST_TAG_CHARACTERS} characters.` },
  prefixes: (url) => {
    const target = readPurgeUrl(url);
    if (target === undefined) return NO_URL;
    if (target.query !== "") return { detail: "A prefix has no query." };
    if (target.path.replace(/\/+$/, "").split("/").length - 1 > MOST_PREFIX_SEGMENTS)
      return { detail: `A prefix has ${MOST_PREFIX_SEGMENTS} segments at most.` };
    return scopeOfPrefix(target) ?? NO_PATH;
  },
  urls: (url) => {
    const target = readPurgeUrl(url);
    return target === undefined ? NO_URL : (scopeOfUrl(target) ?? NO_PATH);
  },
};

/** What a body wants purged, or all that is wrong with it. */
const readWanted = (body: Uint8Array<ArrayBuffer>): Wanted => {
  const value = jsonOf(body);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return failed("#", "The body has to be a JSON object.");
  const scopes = new Set<PurgeScope>();
  const faults: Wrong[] = [];
  let count = 0;
  for (const [name, list] of Object.entries(value)) {
    const read = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
    if (name === "everything" && typeof list === "boolean") {
      if (list) scopes.add(EVERYTHING);
    } else if (read !== undefined && Array.isArray(list)) {
      count += list.length;
      if (count <= MOST_SCOPES) readList(list, read, `#/${name}`, scopes, faults);
    } else faults.push(wrongMember(name, read !== undefined));
  }
  if (count > MOST_SCOPES) return failed("#", `At most ${MOST_SCOPES} scopes are purged by one request.`);
  if (faults.length === 0 && scopes.size === 0)
    return failed("#", "Write at least one of tags, prefixes, urls and everything.");
  return faults.length > 0 ? { faults } : { scopes: [...scopes] };
};

const readList = (
  list: readonly unknown[],
  read: Read,
  at: string,
  scopes: Set<PurgeScope>,
  faults: Wrong[],
): void => {
  for (const [index, text] of list.entries()) {
    const scope = typeof text === "string" ? read(text) : { detail: "This has to be a text." };
    if (typeof scope === "string") scopes.add(scope);
    else faults.push({ pointer: `${at}/${index}`, ...scope });
  }
};

const wrongMember = (name: string, isList: boolean): Wrong => {
  const pointer = `#/${encodeURIComponent(name.toWellFormed().replaceAll("~", "~0").replaceAll("/", "~1"))}`;
  if (isList) return { pointer, detail: "This has to be a list of texts." };
  return name === "everything"
    ? { pointer, detail: "This has to be true." }
    : { pointer, detail: "There are tags, prefixes, urls and everything, and nothing else." };
};

const jsonOf = (body: Uint8Array<ArrayBuffer>): unknown => {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
};

/** What a page wants to do. */
export interface PageRequest {
  readonly origin: string;
  readonly method: string;
  /** Names of the fields that it sets and that need to be allowed. */
  readonly headers?: readonly string[];
  readonly credentials: boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
}

/** The CORS check of the Fetch standard (section 4.10): whether the page may see the answer. */
export const passesCheck = ({ origin, credentials }: PageRequest, { headers }: Answer): boolean => {
  const allowed = headers.get("access-control-allow-origin");
  if (allowed === null) return false;
  if (!credentials && allowed === "*") return true;
  if (allowed !== origin) return false;
  return !credentials || headers.get("access-control-allow-credentials") === "true";
};

const SAFELISTED = ["GET", "HEAD", "POST"];

/** The CORS-preflight fetch (section 4.8) from its answer on: whether the browser goes on with the request. */
export const passesPreflight = (request: PageRequest, answer: Answer): boolean => {
  if (!passesCheck(request, answer) || answer.status < 200 || answer.status > 299) return false;
  const methods = tokens(answer.headers.get("access-control-allow-methods"));
  const names = tokens(answer.headers.get("access-control-allow-headers"))?.map((name) => name.toLowerCase());
  if (methods === undefined || names === undefined) return false;
  const wildcards = !request.credentials;
  const methodAllowed =
    methods.includes(request.method) ||
    SAFELISTED.includes(request.method) ||
    (wildcards && methods.includes("*"));
  const nameAllowed = (name: string): boolean =>
    names.includes(name.toLowerCase()) ||
    (wildcards && names.includes("*") && name.toLowerCase() !== "authorization");
  return methodAllowed && (request.headers ?? []).every(nameAllowed);
};

/** A list of tokens; undefined where a member is none ("extracting header list values" fails). */
const tokens = (value: string | null): string[] | undefined => {
  const members = (value ?? "").split(",").map((member) => member.trim());
  const present = members.filter((member) => member !== "");
  return present.every((member) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(member)) ? present : undefined;
};

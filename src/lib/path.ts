/** Which encodings a gateway lets through; both are refused unless it says otherwise. */
export interface PathOptions {
  readonly encodedSlash: "reject" | "keep";
  readonly matrixParameters: "reject" | "keep";
}

export type PathFault =
  | "not-absolute"
  | "forbidden-encoding"
  | "malformed-encoding"
  | "forbidden-character"
  | "matrix-parameter";

export type NormalizedPath = { readonly path: string } | { readonly fault: PathFault };

/** Nearly every path is already normal: only such characters, and no segment that begins with a dot or is empty. */
const HAS_DOT_SEGMENT_OR_SLASHES = /\/(?:\.|\/)/;
const PLAIN = /^\/[A-Za-z0-9\-._~!$&'()*+,=:@/]*$/;

/**
 * Brings a request's path to the one form that the router, the policies, the cache key and the upstream see (RFC 3986
 * section 6.2.2): refuses what parsers disagree about, decodes unreserved characters, upper-cases the other escapes,
 * encodes what may not stand unencoded, removes dot segments and doubled slashes. Idempotent.
 */
export const normalizePath = (path: string, options: PathOptions): NormalizedPath => {
  if (PLAIN.test(path) && !HAS_DOT_SEGMENT_OR_SLASHES.test(path)) return { path };
  if (path.charCodeAt(0) !== 47) return { fault: "not-absolute" };
  const decoded = decode(path, options);
  return typeof decoded === "string" ? { path: removeDotSegments(decoded) } : decoded;
};

/** Whether a path is in the form that `normalizePath` answers, under the same options. */
export const isNormalPath = (path: string, options: PathOptions): boolean => {
  const again = normalizePath(path, options);
  return "path" in again && again.path === path;
};

const UNRESERVED = /[A-Za-z0-9\-._~]/;
const LITERAL = /[A-Za-z0-9\-._~!$&'()*+,=:@/]/;
/** Octets that separate things somewhere: / \ NUL ; % ? # (S2 of the security list). */
const SEPARATORS = new Set(["2F", "5C", "00", "3B", "25", "3F", "23"]);

const decode = (path: string, options: PathOptions): string | { readonly fault: PathFault } => {
  let out = "";
  for (let at = 0; at < path.length; ) {
    const character = path[at]!;
    if (character === "%") {
      const hex = path.slice(at + 1, at + 3).toUpperCase();
      if (!/^[0-9A-F]{2}$/.test(hex)) return { fault: "malformed-encoding" };
      if (SEPARATORS.has(hex) && options.encodedSlash === "reject") return { fault: "forbidden-encoding" };
      const plain = String.fromCharCode(Number.parseInt(hex, 16));
      out += UNRESERVED.test(plain) ? plain : "%" + hex;
      at += 3;
    } else if (character === ";") {
      if (options.matrixParameters === "reject") return { fault: "matrix-parameter" };
      out += character;
      at++;
    } else if (LITERAL.test(character)) {
      out += character;
      at++;
    } else if (
      character === "\\" ||
      character === "#" ||
      character === "?" ||
      character <= " " ||
      character === "\x7f"
    ) {
      return { fault: "forbidden-character" };
    } else {
      const point = String.fromCodePoint(path.codePointAt(at)!);
      if (/^[\ud800-\udfff]$/.test(point)) return { fault: "forbidden-character" };
      out += encodeURIComponent(point);
      at += point.length;
    }
  }
  return out;
};

/** RFC 3986 section 5.2.4, and doubled slashes merged. A matrix parameter does not hide a dot segment. */
const removeDotSegments = (path: string): string => {
  const kept: string[] = [];
  const segments = path.split("/");
  let last = "";
  for (let index = 1; index < segments.length; index++) {
    const segment = segments[index]!;
    const semicolon = segment.indexOf(";");
    last = semicolon < 0 ? segment : segment.slice(0, semicolon);
    if (last === "..") kept.pop();
    else if (last !== "." && segment !== "") kept.push(segment);
  }
  const directory = segments.at(-1) === "" || last === "." || last === "..";
  return "/" + kept.join("/") + (directory && kept.length > 0 ? "/" : "");
};

/** Decodes a normalized path segment to the text it stands for; text that is not UTF-8 stays as it is. */
export const decodeSegment = (segment: string): string => {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
};

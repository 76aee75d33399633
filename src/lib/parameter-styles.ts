/** How a parameter is written (OpenAPI 3.1 section 4.8.12.3, RFC 6570). */
export type Style =
  | "simple"
  | "label"
  | "matrix"
  | "form"
  | "spaceDelimited"
  | "pipeDelimited"
  | "deepObject";

/** What a value may be, by its schema: only that tells the number 1 from the text "1". */
export type Wanted = {
  /** Kinds of scalars in the order in which they are tried: z null, b boolean, i integer, n number, s text. */
  readonly scalars: string;
  readonly items?: Wanted;
  readonly properties?: Readonly<Record<string, Wanted>>;
  /** Members that `properties` does not name, of an object. */
  readonly rest?: Wanted;
};

/** Why a text cannot be read: a broken percent-encoding, a name without a value, or what can stand once only. */
export type Unreadable = { readonly unreadable: "malformed-encoding" | "malformed-value" | "repeated" };

const MALFORMED_ENCODING: Unreadable = { unreadable: "malformed-encoding" };
/** What is not written as its style has it. */
export const MALFORMED_VALUE: Unreadable = { unreadable: "malformed-value" };
/** What can stand once stands again. */
export const REPEATED: Unreadable = { unreadable: "repeated" };

export const isUnreadable = (value: unknown): value is Unreadable =>
  value === MALFORMED_ENCODING || value === MALFORMED_VALUE || value === REPEATED;

/** Undoes the encoding of one name or value. */
export type Decode = (raw: string) => string | undefined;

/** Percent-encoding of UTF-8 (RFC 3986 section 2.1); undefined where it is broken. */
export const decodePercent: Decode = (raw) => {
  if (!raw.includes("%")) return raw;
  try {
    return decodeURIComponent(raw);
  } catch {
    return undefined;
  }
};

/** The same where a plus sign stands for a blank, as forms write queries. */
export const decodeForm: Decode = (raw) => decodePercent(raw.includes("+") ? raw.replaceAll("+", " ") : raw);

/** No encoding, as in header fields; blanks around list members do not count (RFC 9110 section 5.6.1). */
export const decodeField: Decode = (raw) => raw.trim();

const INTEGER = /^-?(?:0|[1-9]\d*)$/;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** A scalar of the kinds that are wanted; a text that is none of them stays a text, for the schema to refuse. */
export const scalarOf = (text: string, kinds: string): string | number | boolean | null => {
  for (const kind of kinds) {
    if (kind === "s") return text;
    if (kind === "z" && text === "") return null;
    if (kind === "b" && (text === "true" || text === "false")) return text === "true";
    if ((kind === "i" && INTEGER.test(text)) || (kind === "n" && NUMBER.test(text))) return Number(text);
  }
  return text;
};

/** An object that has nothing but what is put into it. */
export const emptyObject = (): Record<string, unknown> => Object.create(null) as Record<string, unknown>;

/** What a member of an object is to be. */
export const wantedMember = (wanted: Wanted, name: string): Wanted =>
  wanted.properties !== undefined && Object.hasOwn(wanted.properties, name)
    ? wanted.properties[name]!
    : (wanted.rest ?? ANY);

const ANY: Wanted = { scalars: "s" };

export const isObjectWanted = ({ properties, rest }: Wanted): boolean =>
  properties !== undefined || rest !== undefined;

/** Reads one value of a path, a header field or a cookie, or of a query where it stands as a whole under its name. */
export const readStyled = (
  raw: string,
  {
    name,
    style,
    explode,
    wanted,
  }: { readonly name: string; readonly style: Style; readonly explode: boolean; readonly wanted: Wanted },
  decode: Decode,
): unknown => {
  const bare =
    style === "label" ? withoutDot(raw) : style === "matrix" ? withoutName(raw, name, explode, wanted) : raw;
  if (bare === undefined) return MALFORMED_VALUE;
  if (wanted.items === undefined && !isObjectWanted(wanted)) return decodedScalar(bare, wanted, decode);
  const parts = partsOf(bare, name, style, explode);
  if (wanted.items !== undefined) {
    if (parts.length === 1 && wanted.scalars !== "") return decodedScalar(bare, wanted, decode);
    return readItems(parts, wanted.items, decode);
  }
  return explode ? readPairs(parts, wanted, decode) : readAlternating(parts, wanted, decode);
};

const withoutDot = (raw: string): string | undefined => (raw.startsWith(".") ? raw.slice(1) : undefined);

const withoutName = (raw: string, name: string, explode: boolean, wanted: Wanted): string | undefined => {
  if (!raw.startsWith(";")) return undefined;
  const bare = raw.slice(1);
  if (explode && isObjectWanted(wanted)) return bare;
  if (bare === name) return "";
  return bare.startsWith(`${name}=`) ? bare.slice(name.length + 1) : undefined;
};

const BLANKS = /%20|\+| /;
const PIPES = /%7[Cc]|\|/;

const partsOf = (bare: string, name: string, style: Style, explode: boolean): string[] => {
  switch (style) {
    case "label":
      // Without a comma the tables of OpenAPI up to 3.1.0 hold, which have dots there too.
      return bare.split(explode || !bare.includes(",") ? "." : ",");
    case "matrix":
      return explode ? bare.split(";").map((part) => withoutPrefix(part, `${name}=`, name)) : bare.split(",");
    case "spaceDelimited":
      return bare.split(BLANKS);
    case "pipeDelimited":
      return bare.split(PIPES);
    default:
      return bare.split(",");
  }
};

const withoutPrefix = (part: string, prefix: string, empty: string): string =>
  part.startsWith(prefix) ? part.slice(prefix.length) : part === empty ? "" : part;

/** A scalar of the kinds that are wanted, or why it cannot be read. */
export const decodedScalar = (raw: string, { scalars }: Wanted, decode: Decode): unknown => {
  const text = decode(raw);
  return text === undefined ? MALFORMED_ENCODING : scalarOf(text, scalars);
};

/** The items of a list, each by itself. */
export const readItems = (parts: readonly string[], { scalars }: Wanted, decode: Decode): unknown => {
  const items: unknown[] = [];
  for (const part of parts) {
    const text = decode(part);
    if (text === undefined) return MALFORMED_ENCODING;
    items.push(scalarOf(text, scalars));
  }
  return items;
};

/** `R,100,G,200`. */
const readAlternating = (parts: readonly string[], wanted: Wanted, decode: Decode): unknown => {
  if (parts.length % 2 !== 0) return MALFORMED_VALUE;
  const object = emptyObject();
  for (let at = 0; at < parts.length; at += 2) {
    const wrong = addMember(object, parts[at]!, parts[at + 1]!, wanted, decode);
    if (wrong !== undefined) return wrong;
  }
  return object;
};

/** `R=100,G=200`, however the pairs were parted. */
const readPairs = (parts: readonly string[], wanted: Wanted, decode: Decode): unknown => {
  const object = emptyObject();
  for (const part of parts) {
    const equals = part.indexOf("=");
    if (equals < 0) return MALFORMED_VALUE;
    const wrong = addMember(object, part.slice(0, equals), part.slice(equals + 1), wanted, decode);
    if (wrong !== undefined) return wrong;
  }
  return object;
};

/** Adds a member to an object; one that is to be a list may come several times. */
export const addMember = (
  object: Record<string, unknown>,
  rawName: string,
  raw: string,
  wanted: Wanted,
  decode: Decode,
): Unreadable | undefined => {
  const [name, text] = [decode(rawName), decode(raw)];
  if (name === undefined || text === undefined) return MALFORMED_ENCODING;
  const member = wantedMember(wanted, name);
  if (member.items !== undefined) {
    const known = object[name] as unknown[] | undefined;
    const item = scalarOf(text, member.items.scalars);
    if (known === undefined) object[name] = [item];
    else known.push(item);
    return undefined;
  }
  if (name in object) return REPEATED;
  object[name] = scalarOf(text, member.scalars);
  return undefined;
};

/**
 * The formats of JSON Schema 2020-12 and of OpenAPI's registry that are checked. Each reads a text once or a bounded number
 * of times, so that no text is dear.
 */

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const TIME = /^(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:z|[+-](\d\d):(\d\d))$/i;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** RFC 3339 section 5.6, full-date. */
export const isDate = (text: string): boolean => {
  const [, year, month, day] = DATE.exec(text) ?? [];
  if (day === undefined) return false;
  const [y, m, d] = [Number(year), Number(month), Number(day)];
  const leap = m === 2 && y % 4 === 0 && (y % 100 !== 0 || y % 400 === 0);
  return m >= 1 && m <= 12 && d >= 1 && d <= DAYS[m - 1]! + (leap ? 1 : 0);
};

/** RFC 3339 section 5.6, full-time; a leap second is one only at the end of a day in UTC. */
export const isTime = (text: string): boolean => {
  const found = TIME.exec(text);
  if (found === null) return false;
  const [hour, minute, second, offsetHour, offsetMinute] = found.slice(1).map((part) => Number(part ?? 0));
  if (hour! > 23 || minute! > 59 || offsetHour! > 23 || offsetMinute! > 59) return false;
  if (second! < 60) return true;
  if (second !== 60) return false;
  const offset = offsetHour! * 60 + offsetMinute!;
  const utc = hour! * 60 + minute! - (text.includes("-") ? -offset : offset);
  return (utc + 2880) % 1440 === 1439;
};

/** RFC 3339 section 5.6, date-time. */
export const isDateTime = (text: string): boolean =>
  (text[10] === "T" || text[10] === "t") && isDate(text.slice(0, 10)) && isTime(text.slice(11));

/** RFC 3339 appendix A, duration. */
export const isDuration = (text: string): boolean =>
  text.length <= 200 &&
  /^P(?:\d+W|(?:\d+Y(?:\d+M(?:\d+D)?)?|\d+M(?:\d+D)?|\d+D)(?:T(?:\d+H(?:\d+M(?:\d+S)?)?|\d+M(?:\d+S)?|\d+S))?|T(?:\d+H(?:\d+M(?:\d+S)?)?|\d+M(?:\d+S)?|\d+S))$/.test(
    text,
  );

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

/** RFC 1123 section 2.1. */
export const isHostname = (text: string): boolean =>
  text.length <= 254 &&
  (text.endsWith(".") ? text.slice(0, -1) : text).split(".").every((label) => LABEL.test(label));

/** RFC 5321 section 4.1.2 with a domain of names, as mail is addressed; quoted local parts and addresses in brackets too. */
export const isEmail = (text: string): boolean => {
  if (text.length > 320) return false;
  const at = text.lastIndexOf("@");
  if (at < 1 || at > 64) return false;
  const [local, domain] = [text.slice(0, at), text.slice(at + 1)];
  const atoms = /^"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*"$/.test(local)
    ? true
    : local.split(".").every((atom) => /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+$/.test(atom));
  if (!atoms) return false;
  if (!domain.startsWith("[")) return !domain.endsWith(".") && isHostname(domain);
  const literal = domain.slice(1, -1);
  return domain.endsWith("]") && (/^ipv6:/i.test(literal) ? isIpv6(literal.slice(5)) : isIpv4(literal));
};

/** RFC 2673 section 3.2, without leading zeros. */
export const isIpv4 = (text: string): boolean =>
  text.length <= 15 && /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/.test(text);

/** RFC 4291 section 2.2, without a zone. */
export const isIpv6 = (text: string): boolean => {
  if (text.length > 45 || !/^[0-9a-f:.]+$/i.test(text)) return false;
  const halves = text.split("::");
  if (halves.length > 2) return false;
  let groups = 0;
  for (const [index, half] of halves.entries()) {
    if (half === "") {
      if (halves.length === 1) return false;
      continue;
    }
    const parts = half.split(":");
    for (const [place, part] of parts.entries()) {
      const isLast = index === halves.length - 1 && place === parts.length - 1;
      if (isLast && part.includes(".")) {
        if (!isIpv4(part)) return false;
        groups += 2;
      } else if (/^[0-9a-f]{1,4}$/i.test(part)) groups++;
      else return false;
    }
  }
  return halves.length === 1 ? groups === 8 : groups <= 7;
};

const SCHEME = /^[a-z][a-z0-9+.-]*:/i;
const URI_TEXT = /^[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]*$/;

/** The parts of RFC 3986 behind the scheme, each character looked at a bounded number of times. */
const isHierarchy = (text: string): boolean => {
  if (!URI_TEXT.test(text) || /%(?![0-9a-f]{2})/i.test(text)) return false;
  const hash = text.indexOf("#");
  if (hash >= 0 && /[#[\]]/.test(text.slice(hash + 1))) return false;
  const bare = hash < 0 ? text : text.slice(0, hash);
  const question = bare.indexOf("?");
  if (question >= 0 && /[[\]]/.test(bare.slice(question))) return false;
  const rest = question < 0 ? bare : bare.slice(0, question);
  if (!rest.startsWith("//")) return !/[[\]]/.test(rest);
  const slash = rest.indexOf("/", 2);
  const path = slash < 0 ? "" : rest.slice(slash);
  return !/[[\]]/.test(path) && isAuthority(slash < 0 ? rest.slice(2) : rest.slice(2, slash));
};

const isAuthority = (text: string): boolean => {
  const at = text.lastIndexOf("@");
  if (at >= 0 && /[@[\]]/.test(text.slice(0, at))) return false;
  const host = text.slice(at + 1);
  if (host.startsWith("[")) {
    const end = host.indexOf("]");
    const inside = host.slice(1, end < 0 ? 1 : end);
    return (
      (isIpv6(inside) || /^v[0-9a-f]+\.[a-z0-9\-._~!$&'()*+,;=:]+$/i.test(inside)) &&
      /^(?::\d*)?$/.test(host.slice(end + 1))
    );
  }
  const colon = host.indexOf(":");
  return !/[[\]]/.test(host) && (colon < 0 || /^\d*$/.test(host.slice(colon + 1)));
};

/** RFC 3986 section 3. */
export const isUri = (text: string): boolean => {
  const scheme = SCHEME.exec(text)?.[0];
  return scheme !== undefined && isHierarchy(text.slice(scheme.length));
};

/** RFC 3986 section 4.1. */
export const isUriReference = (text: string): boolean => {
  if (isUri(text)) return true;
  // The first segment of a relative path has no colon, or it would be read as a scheme (section 4.2).
  return !/^[^/?#]*:/.test(text) && isHierarchy(text);
};

/** RFC 6570: braces in pairs, with a variable in each. */
export const isUriTemplate = (text: string): boolean => {
  for (let at = 0; at < text.length; ) {
    const open = text.indexOf("{", at);
    const literal = open < 0 ? text.slice(at) : text.slice(at, open);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what no literal has.
    if (/[\x00-\x20"'<>\\^`|}]|%(?![0-9A-Fa-f]{2})/.test(literal)) return false;
    if (open < 0) return true;
    const close = text.indexOf("}", open);
    if (close < 0) return false;
    const names = text.slice(open + 1, close).replace(/^[+#./;?&=,!@|]/, "");
    if (!names.split(",").every((name) => /^[\w.%]+(?:\*|:[1-9]\d{0,3})?$/.test(name))) return false;
    at = close + 1;
  }
  return true;
};

/** RFC 9562 section 4. */
export const isUuid = (text: string): boolean =>
  text.length === 36 && /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(text);

/** RFC 6901 section 3. */
export const isJsonPointer = (text: string): boolean =>
  (text === "" || text.startsWith("/")) && !/~(?![01])/.test(text);

/** draft-bhutton-relative-json-pointer-00. */
export const isRelativeJsonPointer = (text: string): boolean => {
  const steps = /^(?:0|[1-9]\d*)/.exec(text)?.[0];
  if (steps === undefined) return false;
  const rest = text.slice(steps.length);
  return rest === "#" || isJsonPointer(rest);
};

/** Base64 with its padding (RFC 4648 section 4). */
export const isByte = (text: string): boolean => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);

export const isInt32 = (value: number): boolean => Number.isInteger(value) && value === (value | 0);

/** What JSON.parse makes of the largest is 2 to the power of 63, so that this passes too. */
export const isInt64 = (value: number): boolean =>
  Number.isInteger(value) && value >= -(2 ** 63) && value <= 2 ** 63;

export const isFloat = (value: number): boolean => value === 0 || Number.isFinite(Math.fround(value));

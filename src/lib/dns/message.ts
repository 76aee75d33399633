/** Types of records that can be asked for. */
export type RecordType = "A" | "AAAA" | "SRV";

/** Their numbers (RFC 1035 section 3.2.2, RFC 3596, RFC 2782). */
export const TYPE_NUMBERS: Readonly<Record<RecordType, number>> = { A: 1, AAAA: 28, SRV: 33 };

/**
 * What every record has. Names are in lower case, without the root's dot; a byte that is not a letter, a digit, `-` or `_`
 * stands there as `\` and three digits, so that no label holds a dot, and whoever looks for a host name sees that it is none.
 */
interface CommonData {
  readonly name: string;
  readonly ttlSeconds: number;
}

export interface AddressRecord extends CommonData {
  readonly type: "A" | "AAAA";
  readonly octets: Uint8Array;
}

export interface AliasRecord extends CommonData {
  readonly type: "CNAME";
  readonly target: string;
}

export interface ServiceRecord extends CommonData {
  readonly type: "SRV";
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

/** A record of the answer section. */
export type DnsRecord = AddressRecord | AliasRecord | ServiceRecord;

/** What of an answer counts. */
export interface DnsMessage {
  /** RFC 1035 section 4.1.1: 0 no error, 2 server failure, 3 no such name, 5 refused. */
  readonly rcode: number;
  readonly truncated: boolean;
  /** The name and the number of the type that were asked for. */
  readonly question: { readonly name: string; readonly type: number };
  /** Records of the types that are known, of the Internet class; others are left out. */
  readonly answers: readonly DnsRecord[];
}

const HEADER_BYTES = 12;
const INTERNET = 1;
const CNAME = 5;
/** More records than any pool has targets: who sends so many is not answering the question. */
const MOST_RECORDS = 1000;

/** Thrown inside this file only. */
const MALFORMED = new Error("malformed");

/** Reads the answer to one question (RFC 1035 section 4.1). Undefined for bytes that are anything else; never throws. */
export const readDnsMessage = (bytes: Uint8Array): DnsMessage | undefined => {
  try {
    return read(bytes);
  } catch (error) {
    if (error === MALFORMED) return undefined;
    throw error;
  }
};

const read = (bytes: Uint8Array): DnsMessage => {
  if (bytes.length < HEADER_BYTES) throw MALFORMED;
  const flags = uint16(bytes, 2);
  const isAnswer = (flags & 0x8000) !== 0;
  const opcode = (flags >> 11) & 15;
  const count = uint16(bytes, 6);
  if (!isAnswer || opcode !== 0 || uint16(bytes, 4) !== 1 || count > MOST_RECORDS) throw MALFORMED;
  const asked = readName(bytes, HEADER_BYTES);
  if (uint16(bytes, asked.end + 2) !== INTERNET) throw MALFORMED;
  const answers: DnsRecord[] = [];
  let at = asked.end + 4;
  for (let index = 0; index < count; index++) {
    const { record, end } = readRecord(bytes, at);
    if (record !== undefined) answers.push(record);
    at = end;
  }
  return {
    rcode: flags & 15,
    truncated: (flags & 0x0200) !== 0,
    question: { name: asked.name, type: uint16(bytes, asked.end) },
    answers,
  };
};

const readRecord = (bytes: Uint8Array, at: number): { record: DnsRecord | undefined; end: number } => {
  const { name, end: from } = readName(bytes, at);
  const type = uint16(bytes, from);
  const begin = from + 10;
  const end = begin + uint16(bytes, from + 8);
  if (end > bytes.length) throw MALFORMED;
  if (uint16(bytes, from + 2) !== INTERNET) return { record: undefined, end };
  const common = { name, ttlSeconds: readTtl(bytes, from + 4) };
  return { record: readData(bytes, { common, type, begin, end }), end };
};

/** A time of which the highest bit is set counts as none (RFC 2181 section 8). */
const readTtl = (bytes: Uint8Array, at: number): number => {
  const high = uint16(bytes, at);
  const low = uint16(bytes, at + 2);
  return high >= 0x8000 ? 0 : high * 0x10000 + low;
};

interface RawRecord {
  readonly common: CommonData;
  readonly type: number;
  readonly begin: number;
  readonly end: number;
}

const readData = (bytes: Uint8Array, { common, type, begin, end }: RawRecord): DnsRecord | undefined => {
  switch (type) {
    case TYPE_NUMBERS.A:
    case TYPE_NUMBERS.AAAA: {
      const isFour = type === TYPE_NUMBERS.A;
      if (end - begin !== (isFour ? 4 : 16)) throw MALFORMED;
      return { ...common, type: isFour ? "A" : "AAAA", octets: bytes.slice(begin, end) };
    }
    case CNAME:
      return { ...common, type: "CNAME", target: nameUntil(bytes, begin, end) };
    case TYPE_NUMBERS.SRV:
      return {
        ...common,
        type: "SRV",
        priority: uint16(bytes, begin),
        weight: uint16(bytes, begin + 2),
        port: uint16(bytes, begin + 4),
        target: nameUntil(bytes, begin + 6, end),
      };
    default:
      return undefined;
  }
};

/** A name that takes exactly what is left of its record. */
const nameUntil = (bytes: Uint8Array, begin: number, end: number): string => {
  const found = readName(bytes, begin);
  if (found.end !== end) throw MALFORMED;
  return found.name;
};

/**
 * A name, with the pointers of RFC 1035 section 4.1.4 followed. Each has to point before everything that was read of the name
 * so far, so that following them comes to an end; a name has at most 255 octets (section 2.3.4), pointers or not.
 */
const readName = (bytes: Uint8Array, begin: number): { name: string; end: number } => {
  const labels: string[] = [];
  let end: number | undefined;
  let octets = 1;
  let earliest = begin;
  for (let at = begin; ; ) {
    const length = uint8(bytes, at);
    if (length === 0) return { name: labels.join("."), end: end ?? at + 1 };
    if (length >= 0xc0) {
      const pointer = uint16(bytes, at) & 0x3fff;
      if (pointer >= earliest) throw MALFORMED;
      end ??= at + 2;
      earliest = pointer;
      at = pointer;
      continue;
    }
    octets += 1 + length;
    // The two other forms of a label are not in use.
    if (length > 63 || octets > 255 || at + 1 + length > bytes.length) throw MALFORMED;
    labels.push(labelText(bytes.subarray(at + 1, at + 1 + length)));
    at += 1 + length;
  }
};

const labelText = (label: Uint8Array): string => {
  let text = "";
  for (const byte of label) {
    const sign = String.fromCharCode(byte);
    text += /[A-Za-z0-9_-]/.test(sign) ? sign.toLowerCase() : "\\" + String(byte).padStart(3, "0");
  }
  return text;
};

const uint8 = (bytes: Uint8Array, at: number): number => {
  const byte = bytes[at];
  if (byte === undefined) throw MALFORMED;
  return byte;
};

const uint16 = (bytes: Uint8Array, at: number): number => uint8(bytes, at) * 256 + uint8(bytes, at + 1);

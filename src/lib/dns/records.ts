import type { AddressRecord, DnsRecord, RecordType, ServiceRecord } from "./message.ts";

/** Records of one type and how long they may be relied on. */
export interface RecordSet {
  readonly records: readonly (AddressRecord | ServiceRecord)[];
  /** The least of the records' times and those of the aliases on the way. */
  readonly ttlSeconds: number;
}

/** No sound zone has a longer chain. */
const MOST_ALIASES = 16;

/**
 * The records of a type that a name has, its aliases followed (RFC 1034 section 3.6.2): none where the chain ends without
 * them. Undefined where it does not end. Records of other names are of no account, whatever they say.
 */
export const recordsOf = (
  answers: readonly DnsRecord[],
  name: string,
  type: RecordType,
): RecordSet | undefined => {
  let owner = name;
  let ttlSeconds = Number.POSITIVE_INFINITY;
  for (let aliases = 0; aliases <= MOST_ALIASES; aliases++) {
    const own = answers.filter((record) => record.name === owner);
    const records = own.filter((record): record is AddressRecord | ServiceRecord => record.type === type);
    for (const record of records) ttlSeconds = Math.min(ttlSeconds, record.ttlSeconds);
    const alias = own.find((record) => record.type === "CNAME");
    if (records.length > 0 || alias === undefined) return { records, ttlSeconds };
    ttlSeconds = Math.min(ttlSeconds, alias.ttlSeconds);
    owner = alias.target;
  }
  return undefined;
};

import { type RecordType, TYPE_NUMBERS } from "./message.ts";

const RECURSION_DESIRED = 0x0100;
const INTERNET = 1;

/**
 * A question for the records of a name, as a message of RFC 1035 section 4.1 with the id 0, so that every gateway asks with
 * the same bytes and caches on the way can answer (RFC 8484 section 4.1). The name is dotted text of 1 to 63 ASCII
 * characters a label; throws for any other.
 */
export const dnsQuery = (name: string, type: RecordType): Uint8Array => {
  const labels = name.split(".");
  if (name.length > 253 || labels.some((label) => !/^[\x21-\x7e]{1,63}$/.test(label)))
    throw new Error(`"${name}" is not a name that DNS can be asked for`);
  const bytes = new Uint8Array(12 + name.length + 2 + 4);
  const view = new DataView(bytes.buffer);
  view.setUint16(2, RECURSION_DESIRED);
  view.setUint16(4, 1);
  let at = 12;
  for (const label of labels) {
    bytes[at++] = label.length;
    for (let index = 0; index < label.length; index++) bytes[at++] = label.charCodeAt(index);
  }
  view.setUint16(at + 1, TYPE_NUMBERS[type]);
  view.setUint16(at + 3, INTERNET);
  return bytes;
};

/** The address at which a resolver answers a question by GET: the message in base64url without padding (RFC 8484 section 6). */
export const dnsQueryUrl = (resolver: string, name: string, type: RecordType): string => {
  const text = btoa(String.fromCharCode(...dnsQuery(name, type)));
  return `${resolver}?dns=${text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
};

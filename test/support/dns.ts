import { type Answer, AUTHORITATIVE_ANSWER, encode, type Packet, RECURSION_AVAILABLE } from "dns-packet";

/** What a resolver of a test says, in the words of dns-packet: a library of others, so that we do not read what we wrote. */
export interface Said {
  readonly name: string;
  readonly type: "A" | "AAAA" | "SRV";
  readonly answers?: readonly Answer[];
  /** 0 no error, 2 server failure, 3 no such name. */
  readonly rcode?: number;
  /** More flags of the header. */
  readonly flags?: number;
  readonly over?: Packet;
}

/** The bytes of an answer. */
export const dnsMessage = ({ name, type, answers = [], rcode = 0, flags = 0, over }: Said): Uint8Array => {
  const bytes = encode({
    type: "response",
    id: 0,
    flags: AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | flags | rcode,
    questions: [{ name, type }],
    answers: [...answers],
    ...over,
  });
  return new Uint8Array(bytes);
};

/** An answer as it comes over HTTPS. */
export const dnsResponse = (
  said: Said,
  { status = 200, headers = {} }: { status?: number; headers?: Readonly<Record<string, string>> } = {},
): Response =>
  new Response(dnsMessage(said) as Uint8Array<ArrayBuffer>, {
    status,
    headers: { "content-type": "application/dns-message", ...headers },
  });

export const address = (name: string, data: string, ttl = 60): Answer => ({
  name,
  type: data.includes(":") ? "AAAA" : "A",
  ttl,
  data,
});

export const alias = (name: string, data: string, ttl = 60): Answer => ({ name, type: "CNAME", ttl, data });

export const service = (
  name: string,
  target: string,
  port: number,
  { priority = 0, weight = 0, ttl = 60 }: { priority?: number; weight?: number; ttl?: number } = {},
): Answer => ({ name, type: "SRV", ttl, data: { target, port, priority, weight } });

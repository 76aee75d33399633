import type { Case, Field } from "../case.ts";

interface Known {
  readonly name: string;
  readonly values?: readonly [string, string];
  /** Speaks of one connection, and is not stored (RFC 9111 section 3.1). */
  readonly unstored?: boolean;
  /** Must change with a 304 (true), must not (false), or says what a cache is like (absent). */
  readonly updates?: boolean;
  readonly anyBody?: boolean;
}

const FIELDS: readonly Known[] = [
  { name: "Test-Header", updates: true },
  { name: "X-Test-Header", updates: true },
  { name: "Content-Foo", updates: true },
  { name: "X-Content-Foo", updates: true },
  { name: "Cache-Control", values: ["max-age=1", "max-age=3600"], updates: true },
  { name: "Connection", unstored: true },
  { name: "Content-Encoding" },
  { name: "Content-Length", values: ["5", "10"], updates: false, anyBody: true },
  { name: "Content-Location", values: ["/foo", "/bar"] },
  { name: "Content-MD5", values: ["rL0Y20zC+Fzt72VPzMSk2A==", "N7UdGUp1E+RbVvZSTy1R8g=="] },
  { name: "Content-Range" },
  { name: "Content-Security-Policy", values: ["default-src 'self'", "default-src 'self' cdn.example.com"] },
  { name: "Content-Type", values: ["text/plain", "text/plain;charset=utf-8"] },
  { name: "Clear-Site-Data", values: ["cache", "cookies"] },
  { name: "ETag", values: ['"abcdef"', '"ghijkl"'] },
  { name: "Expires", values: ["Fri, 01 Jan 2038 01:01:01 GMT", "Mon, 11 Jan 2038 11:11:11 GMT"] },
  { name: "Keep-Alive", unstored: true },
  { name: "Proxy-Authenticate", unstored: true },
  { name: "Proxy-Authentication-Info", unstored: true },
  { name: "Proxy-Authorization", unstored: true },
  { name: "Proxy-Connection", unstored: true },
  { name: "Public-Key-Pins" },
  { name: "Set-Cookie", values: ["a=b", "a=c"] },
  { name: "Set-Cookie2", values: ["a=b", "a=c"] },
  { name: "TE", unstored: true },
  { name: "Transfer-Encoding", unstored: true },
  { name: "Upgrade", unstored: true },
  { name: "X-Frame-Options", values: ["deny", "sameorigin"] },
  { name: "X-XSS-Protection", values: ["1", "1; mode=block"] },
];

const lived = (name: string, seconds: number): Field[] =>
  name === "Cache-Control" ? [] : [["Cache-Control", `max-age=${seconds}`]];

const stored = FIELDS.map(({ name, values, unstored, anyBody }): Case => {
  const value = values?.[1] ?? `${name}-store-value`;
  const reads = anyBody ? { reads: null } : {};
  const turn = {
    answer: [["Date", 0], [name, value], ...lived(name, 3600)] as Field[],
    pause: true,
    ...reads,
  };
  return {
    id: `headers-store-${name}`,
    kind: "required",
    turns: unstored
      ? [
          { ...turn, loose: [name.toLowerCase()] },
          { from: "cache", ...reads },
        ]
      : [turn, { from: "cache", shows: [[name, value]], ...reads }],
  };
});

const updated = FIELDS.filter(({ unstored }) => !unstored).map(({ name, values, updates, anyBody }): Case => {
  const [before, after] = values ?? [`${name}-value-A`, `${name}-value-B`];
  const tag: Field[] = name === "ETag" ? [] : [["ETag", `"${name}-etag-1"`]];
  const answer = (value: string): Field[] => [["Date", 0], [name, value], ...lived(name, 2), ...tag];
  const shown: Field = [name, updates === false ? before : after];
  const more = {
    ...(updates === false && { loose: [name.toLowerCase()] }),
    ...(anyBody && { reads: null }),
  };
  return {
    id: `304-etag-update-response-${name}`,
    kind: updates === undefined ? "check" : "required",
    needs: ["304-lm-use-stored-Test-Header"],
    turns: [
      { answer: answer(before), pause: true, ...more },
      { answer: answer(after), from: "etag", shows: [shown], ...more },
      { from: "cache", shows: [shown], ...more },
    ],
  };
});

/** RFC 9111 sections 3.1 and 3.2. */
export const fields: readonly Case[] = [
  {
    id: "headers-omit-headers-listed-in-Connection",
    kind: "required",
    turns: [
      {
        answer: [
          ["Connection", "a, b"],
          ["a", "1"],
          ["b", "2"],
          ["c", "3"],
          ["Cache-Control", "max-age=3600"],
        ],
        loose: ["connection", "a", "b", "c"],
        pause: true,
      },
      { from: "cache", shows: [["c", "3"]], hides: ["a", "b"] },
    ],
  },
  ...stored,
  {
    id: "304-lm-use-stored-Test-Header",
    kind: "required",
    turns: [
      {
        answer: [
          ["Cache-Control", "max-age=2"],
          ["Last-Modified", -86_400 * 365],
          ["Date", 0],
          ["Test-Header", "value-A"],
        ],
        pause: true,
      },
      { answer: [["Date", 0]], from: "last-modified", shows: [["Test-Header", "value-A"]] },
    ],
  },
  ...updated,
];

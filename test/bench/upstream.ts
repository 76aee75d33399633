import { createServer } from "node:net";

/**
 * The service behind everything that is measured, a process of its own: answers each GET with a buffer that is made once a
 * second, so that it is never what waits. Prints its port when it listens, and ends with its parent.
 */

/** The body of every answer. */
export const BODY = JSON.stringify({
  id: 4711,
  name: "Garden chair, folding, oiled acacia",
  price: { amount: "49.90", currency: "EUR" },
  stock: 12,
  tags: ["garden", "furniture", "wood"],
  updated: "2026-11-20T08:15:30Z",
  rating: 4.6,
});

/** The header fields of every answer, without its date. */
export const FIELDS: readonly (readonly [string, string])[] = [
  ["content-type", "application/json; charset=utf-8"],
  ["cache-control", "public, max-age=3600"],
  ["etag", '"5f2b-18d1c7a3e40"'],
  ["server", "origin"],
  ["x-powered-by", "bench"],
];

const answer = (): Buffer => {
  const fields = FIELDS.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const date = new Date().toUTCString();
  return Buffer.from(
    `HTTP/1.1 200 OK\r\ndate: ${date}\r\ncontent-length: ${Buffer.byteLength(BODY)}\r\n${fields}\r\n${BODY}`,
  );
};

const END = Buffer.from("\r\n\r\n");

const listen = (): void => {
  let bytes = answer();
  setInterval(() => {
    bytes = answer();
  }, 1000);
  const server = createServer({ noDelay: true }, (socket) => {
    let rest: Buffer = Buffer.alloc(0);
    socket.on("error", () => socket.destroy());
    socket.on("data", (data: Buffer) => {
      rest = rest.length === 0 ? data : Buffer.concat([rest, data]);
      for (let end = rest.indexOf(END); end >= 0; end = rest.indexOf(END)) {
        rest = rest.subarray(end + END.length);
        socket.write(bytes);
      }
    });
  });
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    if (address !== null && typeof address === "object") process.stdout.write(`${address.port}\n`);
  });
  process.stdin.resume();
  process.stdin.on("end", () => process.exit());
};

if (import.meta.main) listen();

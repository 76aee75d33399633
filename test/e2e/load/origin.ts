import { createServer } from "node:http";

/** An origin in a process of its own, so that it can really die or freeze: answers its name, or 500 while it is told to. */
const [name = "", port = ""] = process.argv.slice(2);
let status = 200;

process.on("message", (next: number) => {
  status = next;
});
process.on("disconnect", () => process.exit());

createServer((request, response) => {
  request.resume();
  response.writeHead(status, { "content-type": "text/plain" }).end(name);
}).listen(Number(port), "127.0.0.1", () => process.send?.("ready"));

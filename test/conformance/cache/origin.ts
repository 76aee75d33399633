import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Case } from "./case.ts";
import { type Got, Script } from "./script.ts";

/** An origin that answers by what the cases say. */
export interface ScriptedOrigin {
  readonly url: string;
  /** Lets a case be played; its target is the name below any folder. */
  expect(name: string, played: Case): void;
  got(name: string): readonly Got[];
  stop(): Promise<void>;
}

const answer = (script: Script, request: IncomingMessage, response: ServerResponse): void => {
  const turn = Number(request.headers["turn"]);
  const path = request.url!.split("?")[0]!;
  const scripted = script.answer(
    { turn, method: request.method!, fields: request.headers },
    path,
    Date.now(),
  );
  if (scripted === undefined) {
    request.socket.destroy();
    return;
  }
  const { trailers, undated } = script.turn(turn);
  response.sendDate = undated !== true;
  for (const [field, value] of scripted.fields) response.appendHeader(field, value);
  if (trailers !== undefined) response.appendHeader("trailer", trailers.map(([name]) => name).join(", "));
  response.writeHead(scripted.status);
  if (trailers !== undefined) {
    // Only a body in chunks has trailers.
    response.write(scripted.text);
    response.addTrailers(Object.fromEntries(trailers.map(([name, value]) => [name, String(value)])));
    response.end();
  } else response.end(scripted.text === null ? undefined : Buffer.from(scripted.text));
};

/** Starts the origin on a free port of loopback. */
export const startOrigin = async (): Promise<ScriptedOrigin> => {
  const scripts = new Map<string, Script>();
  const server = createServer((request, response) => {
    request.on("error", () => {});
    request.resume().once("end", () => {
      const script = scripts.get(request.url!.split(/[/?]/)[2]!)!;
      const { interim, slow } = script.turn(Number(request.headers["turn"]));
      for (const [status, fields] of interim ?? []) {
        if (status === 102) response.writeProcessing();
        else response.writeEarlyHints({ link: "", ...fields });
      }
      setTimeout(() => answer(script, request, response), (slow ?? 0) * 1000);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    expect: (name, played) => void scripts.set(name, new Script(name, played)),
    got: (name) => scripts.get(name)?.got ?? [],
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

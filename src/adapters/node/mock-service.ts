import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { OperationInfo } from "../../core/operation.ts";
import { type Fits, type MockAnswer, mockAnswer } from "./mock-answers.ts";

/** The field in which a mocked route tells which one it is. */
export const MOCKED_ROUTE = "x-postern-mocked-route";

/** What stands behind a gateway in place of all its services. */
export interface MockService {
  /** `host:port` on loopback. */
  readonly address: string;
  /** The operations that it answers for, by route; set anew when policies change. */
  operations: ReadonlyMap<string, OperationInfo>;
  stop(): Promise<void>;
}

/** Starts it on a port of loopback. */
export const startMockService = async (
  operations: MockService["operations"],
  fits?: Fits,
): Promise<MockService> => {
  const service = { operations };
  const server = createServer((request, response) => {
    // A body that nobody reads would hold the connection.
    request.resume();
    const route = String(request.headers[MOCKED_ROUTE] ?? "");
    const operation = service.operations.get(route);
    const { status, headers, body } =
      operation === undefined
        ? undescribed(route)
        : mockAnswer(
            operation,
            {
              accept: request.headers.accept,
              prefer: [request.headers["prefer"]].flat().join(",") || undefined,
            },
            fits,
          );
    // Whoever prefers another answer must not get the one that a cache has.
    const vary = headers["vary"] === undefined ? "prefer" : `${headers["vary"]}, prefer`;
    response
      .writeHead(status, { "x-mock": route, ...headers, vary })
      .end(request.method === "HEAD" ? "" : body);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return Object.assign(service, {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
};

/** A route that is written by hand: nobody says what its service would answer. */
const undescribed = (route: string): MockAnswer => ({
  status: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ mocked: route }),
});

import { describe, expect, it, vi } from "vitest";
import { brokenBindings, type clientOf, type Sent } from "./client.ts";

type Client = ReturnType<typeof clientOf>;

/** An operation that takes a body, and one that it takes. */
interface Taking {
  readonly method: string;
  readonly path: string;
  readonly valid: object;
  readonly success: number;
}

const text = (body: BodyInit, type = "application/json"): Sent => ({
  body,
  headers: { "content-type": type },
});

/** A body of exactly so many bytes: JSON with white space before its end. */
const padded = (json: object, bytes: number): string => {
  const whole = JSON.stringify(json);
  return whole.slice(0, -1) + " ".repeat(bytes - whole.length) + "}";
};

/** The sentences that hold for every operation that takes a body. */
export const describeBodies = ({ send }: Client, taking: Taking, headers: Record<string, string> = {}) => {
  const { method, path, valid, success } = taking;
  const sendBody = (sent: Sent) => send(method, path, { ...sent, headers: { ...headers, ...sent.headers } });
  const whole = JSON.stringify(valid);

  describe(`the body of ${method} ${path}`, () => {
    it.each([
      ["no JSON", text("{"), 400, "malformed-body"],
      ["JSON and more", text(`${whole}{}`), 400, "malformed-body"],
      ["nothing", text(""), 400, "malformed-body"],
      ["white space", text(" \n"), 400, "malformed-body"],
      ["bytes that are not UTF-8", text(new Uint8Array([0x22, 0xff, 0x22])), 400, "malformed-body"],
      ["a form", text("name=Ada", "application/x-www-form-urlencoded"), 415, "unsupported-media-type"],
      ["plain text", text(whole, "text/plain"), 415, "unsupported-media-type"],
      ["JSON of another type", text(whole, "application/vnd.x+json"), 415, "unsupported-media-type"],
      ["a type that only begins alike", text(whole, "application/jsonx"), 415, "unsupported-media-type"],
      ["no type", { body: new TextEncoder().encode(whole) }, 415, "unsupported-media-type"],
      ["neither body nor type", {}, 415, "unsupported-media-type"],
      ["64 KiB and a byte", text(padded(valid, 65_537)), 413, "content-too-large"],
    ])("may not be %s", async (_, sent, status, code) => {
      expect(await sendBody(sent)).toMatchObject({ status, body: { code } });
    });

    it("may not be compressed", async () => {
      const answer = await sendBody({ json: valid, headers: { "content-encoding": "gzip" } });
      expect(answer).toMatchObject({ status: 415, body: { code: "unsupported-media-type" } });
      expect(answer.headers.get("accept-encoding")).toBe("identity");
    });

    it("says which type it may have", async () => {
      const { headers: answered } = await sendBody(text(whole, "text/plain"));
      expect(answered.get(method === "PATCH" ? "accept-patch" : "accept")).toBe("application/json");
    });

    it("may not exceed 64 KiB where its length is not declared either", async () => {
      const endless = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(new Uint8Array(8192).fill(0x20)),
      });
      expect(await sendBody(text(endless))).toMatchObject({ status: 413 });
    });

    it.each([
      ["64 KiB long", text(padded(valid, 65_536))],
      ["of a type with parameters", text(whole, "Application/JSON; charset=utf-8")],
      ["in pieces", text(new Blob([whole.slice(0, 9), whole.slice(9)]).stream())],
    ])("may be %s", async (_, sent) => {
      expect((await sendBody(sent)).status).toBe(success);
    });

    it("is answered with at most a hundred faults", async () => {
      const many = Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`x${index}`, 1]));
      const answer = await sendBody({ json: { ...valid, ...many } });
      expect(answer.status).toBe(422);
      expect((answer.body as { errors: unknown[] }).errors).toHaveLength(100);
    });
  });
};

interface Known {
  /** A path that has a GET, and the header fields it needs. */
  readonly path: string;
  readonly headers: Record<string, string>;
  /** Each path of the service, and the methods that it has. */
  readonly allowed: readonly (readonly [path: string, allow: string])[];
}

/** The sentences that hold for every service, whatever it serves. */
export const describeService = ({ send }: Client, { path, headers, allowed }: Known) => {
  describe("a service", () => {
    it.each(["/", "/other", "/healthz/", `${path}/x/y`, `${path}/`, "//", "/%2e%2e/x"])(
      "answers 404 for the path %s",
      async (unknown) => {
        expect(await send("GET", unknown, { headers })).toMatchObject({
          status: 404,
          body: { code: "not-found" },
        });
      },
    );

    for (const [known, allow] of allowed) {
      it.each(
        ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"].filter(
          (method) => !allow.split(", ").includes(method),
        ),
      )(`answers 405 for %s ${known}`, async (method) => {
        const answer = await send(method, known);
        expect(answer).toMatchObject({ status: 405, body: { code: "method-not-allowed" } });
        expect(answer.headers.get("allow")).toBe(allow);
      });
    }

    it("answers HEAD like GET, without a body", async () => {
      const [get, head] = [await send("GET", path, { headers }), await send("HEAD", path, { headers })];
      expect(head).toMatchObject({ status: 200, body: undefined });
      expect([...head.headers]).toEqual([...get.headers]);
    });

    it("is healthy while its database answers", async () => {
      expect(await send("GET", "/healthz")).toMatchObject({ status: 200, body: { status: "ok" } });
    });

    it.each([
      ["/healthz", 503, "unavailable"],
      [path, 500, "internal-error"],
    ])("tells of a failure at %s without a word of its cause", async (target, status, code) => {
      const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
      const answer = await send("GET", target, { headers, bindings: brokenBindings });
      expect(answer).toMatchObject({ status, body: { code } });
      expect(JSON.stringify([answer.body, ...answer.headers])).not.toMatch(
        /\bD1\b|secret|database|stack|\.ts/i,
      );
      const { instance } = answer.body as { instance: string };
      const [[logged]] = log.mock.calls as [[{ id: string; cause: string }]];
      expect(`urn:uuid:${logged.id}`).toBe(instance);
      expect(logged.cause).toContain("secret detail");
      log.mockRestore();
    });

    it("names its copy where that has a name, in problems too", async () => {
      const named = { headers, bindings: { ...brokenBindings, SERVED_BY: "canary" } };
      expect((await send("GET", "/nowhere", named)).headers.get("x-served-by")).toBe("canary");
      expect((await send("GET", "/nowhere")).headers.get("x-served-by")).toBeNull();
    });

    it("reports a problem under the id that the gateway gave the request, where that is a UUID", async () => {
      const id = "0d3c2c1e-6f0b-4d69-8a43-3a0f8d1f9b57";
      const instanceOf = async (given: string) =>
        ((await send("GET", "/nowhere", { headers: { "x-request-id": given } })).body as { instance: string })
          .instance;
      expect(await instanceOf(id)).toBe(`urn:uuid:${id}`);
      expect(await instanceOf("1; DROP")).toMatch(/^urn:uuid:[0-9a-f-]{36}$/);
    });
  });
};

import { describe, expect, it } from "vitest";
import type { HeaderCredentialPlan } from "../../../src/core/upstream-plan.ts";
import { linkHeaderCredential } from "../../../src/runtime/managed/header-credential.ts";
import { linkedCredential } from "./credential-support.ts";

const PLAN: HeaderCredentialPlan = { kind: "header", secret: "ORDERS_KEY", header: "x-gateway-key" };
const SECRET = "q3t6w9z$C&F)J@Nc";

const linked = (secret: string | undefined, plan: Partial<HeaderCredentialPlan> = {}) =>
  linkedCredential(linkHeaderCredential, { ...PLAN, ...plan }, secret);

describe("a secret in a header", () => {
  it("is sent as it is", async () => {
    expect((await linked(SECRET).put()).get("x-gateway-key")).toBe(SECRET);
  });

  it("stands behind the word of its scheme, where it has one", async () => {
    const headers = await linked(SECRET, { header: "authorization", scheme: "Bearer" }).put();
    expect(headers.get("authorization")).toBe(`Bearer ${SECRET}`);
  });

  it.each(["x-gateway-key", "X-Gateway-Key"])("replaces what the client sent as %s", async (name) => {
    const headers = await linked(SECRET).put({ headers: { [name]: "guess", "x-other": "1" } });
    expect([...headers]).toEqual([
      ["x-gateway-key", SECRET],
      ["x-other", "1"],
    ]);
  });

  it.each([
    ["that is not set", undefined, "is not set"],
    ["that is empty", "", "has 0 characters, and needs at least 16"],
    ["of fifteen characters", "q3t6w9z$C&F)J@N", "has 15 characters, and needs at least 16"],
    ["with a line break", `${SECRET}\r\nx: y`, "cannot stand in a header field"],
    ["with a space at its end", `${SECRET} `, "cannot stand in a header field"],
    ["with letters beyond ASCII", `${SECRET}é`, "cannot stand in a header field"],
  ])("is not linked with a secret %s, and the error does not quote it", (_, secret, why) => {
    const link = (): unknown => linked(secret);
    expect(link).toThrow(`The secret ORDERS_KEY, the credential of the upstream "orders", ${why}`);
    if (secret) expect(link).not.toThrow(secret);
  });
});

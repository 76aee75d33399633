import { SignJWT, UnsecuredJWT } from "jose";
import { beforeEach, describe, expect, it } from "vitest";
import worker from "../../../src/services/users/index.ts";
import { asker, describeClosedService, expectRefusal, type Sent, withFields } from "../around-gateway.ts";
import { freshDatabase } from "../client.ts";
import { KEYS, USERS_CREDENTIAL } from "../gateway.ts";

const { through, around } = asker(worker, USERS_CREDENTIAL);
const READ: Sent = { target: "/users/42", route: "users.getUser" };
const CHANGE: Sent = { method: "PATCH", target: "/users/42", json: { name: "Ada King" } };

beforeEach(freshDatabase);

describeClosedService(worker, USERS_CREDENTIAL, { target: "/users/42", headers: {} });

describe("a token of the gateway", () => {
  it.each<[string, Sent]>([
    ["for another service", { plan: { audience: "orders" } }],
    ["of another gateway", { plan: { issuer: "shop-next" } }],
    ["signed with another key", { key: "y".repeat(40) }],
    ["in another field", { plan: { header: "authorization" } }],
    ["that ended", { ahead: -66 }],
    ["from the future", { ahead: 10 }],
    ["that is good for long", { plan: { lifetimeSeconds: 3600 }, ahead: -310 }],
    ["that is none", { altered: withFields({ "x-gateway-token": "hello" }) }],
    ["that is empty", { altered: withFields({ "x-gateway-token": "" }) }],
    ["that was taken off", { altered: withFields({ "x-gateway-token": undefined }) }],
  ])("is refused %s", async (_, sent) => {
    await expectRefusal(await through({ ...READ, ...sent }));
  });

  it.each([
    ["just made", 0],
    ["about to end", -59],
    ["that ended within what clocks may differ", -62],
    ["made by a clock that is a little ahead", 3],
  ])("is accepted %s", async (_, ahead) => {
    expect((await through({ ...READ, ahead })).status).toBe(200);
  });

  it("changes something on the route of that very operation only", async () => {
    expect((await through({ ...CHANGE, route: "users.updateUser" })).status).toBe(200);
    for (const route of ["users.getUser", "users.createUser", "orders.updateUser", "updateUser", ""])
      await expectRefusal(await through({ ...CHANGE, route }));
  });

  it("reads on any route, for one answer may be made of several", async () => {
    for (const method of ["GET", "HEAD"])
      expect((await through({ ...READ, method, route: "home.overview" })).status).toBe(200);
  });
});

describe("a token with the right key that is not the gateway's", () => {
  const key = new TextEncoder().encode(KEYS.USERS_KEY);
  const made = (typ: string | undefined, alg = "HS256", claims: Record<string, unknown> = {}) => {
    const now = Math.floor(Date.now() / 1000);
    const all = { iss: "shop", aud: "users", iat: now, exp: now + 60, route: "users.getUser", ...claims };
    const present = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    return new SignJWT(present).setProtectedHeader({ alg, ...(typ !== undefined && { typ }) }).sign(key);
  };
  const ask = async (token: string): Promise<Response> =>
    around({ ...READ, headers: { "x-gateway-token": token } });

  it("is accepted when it is like one of them", async () => {
    expect((await ask(await made("postern+jwt"))).status).toBe(200);
  });

  it.each<[string, string | undefined, string, Record<string, unknown>]>([
    ["is of another type", "JWT", "HS256", {}],
    ["is of no type", undefined, "HS256", {}],
    ["is signed by another algorithm", "postern+jwt", "HS512", {}],
    ["has no end", "postern+jwt", "HS256", { exp: undefined }],
    ["has no beginning", "postern+jwt", "HS256", { iat: undefined }],
    ["has an end that is no number", "postern+jwt", "HS256", { exp: "9999999999" }],
    ["has no issuer", "postern+jwt", "HS256", { iss: undefined }],
    ["has no audience", "postern+jwt", "HS256", { aud: undefined }],
  ])("is refused when it %s", async (_, typ, alg, claims) => {
    await expectRefusal(await ask(await made(typ, alg, claims)));
  });

  it("is refused when it is not signed", async () => {
    const unsigned = new UnsecuredJWT({ route: "users.getUser" })
      .setIssuer("shop")
      .setAudience("users")
      .setIssuedAt()
      .setExpirationTime("1m")
      .encode();
    await expectRefusal(await ask(unsigned));
  });
});

import type { Context } from "hono";
import { ifMatch, isUnchanged, versionTag } from "../http/conditional.ts";
import { byToken } from "../http/gateway-token.ts";
import { toPage } from "../http/page.ts";
import { problem } from "../http/problem.ts";
import { createService, documentOf, refuseOtherMethods } from "../http/service.ts";
import * as routes from "./routes.ts";
import * as store from "./store.ts";

/** The users service: the operations of routes.ts over the database of store.ts. */
export const app = createService({ secret: "USERS_KEY", holds: byToken("shop", "users") });

const unknownUser = (c: Context) => problem(c, 404, "not-found", "There is no such user.");
const stale = (c: Context) =>
  problem(c, 412, "precondition-failed", "The user has changed: `If-Match` does not name its version.");
const emailTaken = (c: Context) =>
  problem(c, 409, "email-taken", "The address belongs to another user.", {
    errors: [{ pointer: "#/email", detail: "Belongs to another user" }],
  });

app.openapi(routes.listUsers, async (c) => {
  const { limit, cursor } = c.req.valid("query");
  const read = await store.listUsers(c.env.DB, cursor, limit + 1);
  const { page, etag } = await toPage(read, limit);
  return isUnchanged(c, etag) ? c.body(null, 304, { etag }) : c.json(page, 200, { etag });
});

app.openapi(routes.createUser, async (c) => {
  const stored = await store.insertUser(c.env.DB, c.req.valid("json"), new Date());
  if (stored === undefined) return emailTaken(c);
  const location = "/users/" + stored.record.id;
  return c.json(stored.record, 201, { location, etag: versionTag(stored.version) });
});

app.openapi(routes.getUser, async (c) => {
  const stored = await store.findUser(c.env.DB, c.req.valid("param").userId);
  if (stored === undefined) return unknownUser(c);
  const etag = versionTag(stored.version);
  return isUnchanged(c, etag) ? c.body(null, 304, { etag }) : c.json(stored.record, 200, { etag });
});

app.openapi(routes.updateUser, async (c) => {
  const { userId } = c.req.valid("param");
  const current = await store.findUser(c.env.DB, userId);
  if (current === undefined) return unknownUser(c);
  const precondition = ifMatch(c, versionTag(current.version));
  if (precondition === "failed") return stale(c);
  // The version that was compared is the one to be changed, should somebody come between.
  const expected = precondition === "met" ? current.version : undefined;
  const update = await store.updateUser(c.env.DB, userId, c.req.valid("json"), expected, new Date());
  if (update.outcome === "updated") {
    const { record, version } = update.stored;
    return c.json(record, 200, { etag: versionTag(version) });
  }
  if (update.outcome === "missing") return unknownUser(c);
  return update.outcome === "changed" ? stale(c) : emailTaken(c);
});

refuseOtherMethods(app);

/** The OpenAPI document of this service, as the generator makes it. */
export const document = () =>
  documentOf(app, {
    title: "Users",
    description: "The users of the shop.",
    tag: { name: "users", description: "Who has an account." },
  });

import { document } from "../../../src/services/users/app.ts";
import worker from "../../../src/services/users/index.ts";
import { User, UserPage } from "../../../src/services/users/schemas.ts";
import { clientOf } from "../client.ts";
import { USERS_CREDENTIAL } from "../gateway.ts";

export const { ask, send } = clientOf(worker, document(), USERS_CREDENTIAL, { User, UserPage });

export const post = (json: unknown) => ask<User>("POST", "/users", { json });

export const patch = (id: string, json: unknown, headers: Record<string, string> = {}) =>
  ask<User>("PATCH", `/users/${id}`, { json, headers });

import { createRoute, z } from "@hono/zod-openapi";
import * as answers from "../http/answers.ts";
import { readBody } from "../http/body.ts";
import { PageQuery } from "../http/page.ts";
import { NewUser, User, UserId, UserPage, UserPatch } from "./schemas.ts";

const tags = ["users"];
const params = z.object({ userId: UserId });
const jsonOf = <T>(schema: T) => ({ "application/json": { schema } });
const unknownUser = answers.problemAnswer("There is no such user.");
const emailTaken = answers.problemAnswer("The address belongs to another user.");
const invalidBody = answers.problemAnswer("The body does not fit its schema; `errors` lists where.");

export const listUsers = createRoute({
  method: "get",
  path: "/users",
  operationId: "listUsers",
  tags,
  summary: "List users",
  description:
    "In pages, the oldest user first. Following `nextCursor` to its end shows every user that was there at the " +
    "beginning exactly once, whoever joins meanwhile.",
  request: { query: PageQuery, headers: z.object({ "if-none-match": answers.IfNoneMatch }) },
  responses: {
    200: { description: "A page.", headers: { ETag: answers.etag }, content: jsonOf(UserPage) },
    304: answers.notModified,
    400: answers.invalidParameter,
    500: answers.unexpectedFailure,
  },
});

export const createUser = createRoute({
  method: "post",
  path: "/users",
  operationId: "createUser",
  tags,
  summary: "Create a user",
  description: "A property that the schema does not name is refused.",
  middleware: readBody,
  request: { body: { required: true, content: jsonOf(NewUser) } },
  responses: {
    201: {
      description: "Created.",
      headers: { Location: answers.location, ETag: answers.etag },
      content: jsonOf(User),
    },
    400: answers.malformedBody,
    409: emailTaken,
    413: answers.contentTooLarge,
    415: answers.unsupportedMediaType,
    422: invalidBody,
    500: answers.unexpectedFailure,
  },
});

export const getUser = createRoute({
  method: "get",
  path: "/users/{userId}",
  operationId: "getUser",
  tags,
  summary: "Show a user",
  description: "With the entity tag that a conditional request may name.",
  request: { params, headers: z.object({ "if-none-match": answers.IfNoneMatch }) },
  responses: {
    200: { description: "The user.", headers: { ETag: answers.etag }, content: jsonOf(User) },
    304: answers.notModified,
    400: answers.invalidParameter,
    404: unknownUser,
    500: answers.unexpectedFailure,
  },
});

export const updateUser = createRoute({
  method: "patch",
  path: "/users/{userId}",
  operationId: "updateUser",
  tags,
  summary: "Change a user",
  description:
    "Changes the properties that the body names. With `If-Match`, changes nothing that somebody else has changed " +
    "since it was read.",
  middleware: readBody,
  request: {
    params,
    headers: z.object({ "if-match": answers.IfMatch }),
    body: { required: true, content: jsonOf(UserPatch) },
  },
  responses: {
    200: { description: "The user, changed.", headers: { ETag: answers.etag }, content: jsonOf(User) },
    400: answers.malformedBody,
    404: unknownUser,
    409: emailTaken,
    412: answers.preconditionFailed,
    413: answers.contentTooLarge,
    415: answers.unsupportedMediaType,
    422: invalidBody,
    500: answers.unexpectedFailure,
  },
});

import { beforeEach } from "vitest";
import kept from "../../../openapi/users.yaml?raw";
import { Fault, Problem } from "../../../src/services/http/problem.ts";
import { document } from "../../../src/services/users/app.ts";
import worker from "../../../src/services/users/index.ts";
import * as schemas from "../../../src/services/users/schemas.ts";
import { clientOf, freshDatabase } from "../client.ts";
import { describeDocument } from "../documents.ts";
import { USERS_CREDENTIAL } from "../gateway.ts";
import { describeBodies, describeService } from "../protocol.ts";

const client = clientOf(worker, document(), USERS_CREDENTIAL, {});

beforeEach(freshDatabase);

describeService(client, {
  path: "/users",
  headers: {},
  allowed: [
    ["/healthz", "GET, HEAD"],
    ["/users", "GET, HEAD, POST"],
    ["/users/42", "GET, HEAD, PATCH"],
  ],
});

describeBodies(client, {
  method: "POST",
  path: "/users",
  valid: { name: "Mary Somerville", email: "mary@example.com" },
  success: 201,
});

describeBodies(client, { method: "PATCH", path: "/users/42", valid: { name: "Ada King" }, success: 200 });

describeDocument(document(), "src/services/users", kept, { ...schemas, Fault, Problem }, [
  "health",
  "listUsers",
  "createUser",
  "getUser",
  "updateUser",
]);

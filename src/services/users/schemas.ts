import { z } from "@hono/zod-openapi";
import { NextCursor } from "../http/page.ts";

/** Neither control characters nor halves of surrogate pairs: the latter have no UTF-8, so the database would alter them. */
const NAME = /^[^\s\p{Cc}\p{Cs}](?:[^\p{Cc}\p{Cs}]*[^\s\p{Cc}\p{Cs}])?$/u;

/** The generator writes a pattern's flags into its text: so the text is given beside it. */
const name = z
  .string()
  .max(120)
  .regex(NAME, "Must be text without control characters, and without white space at either end")
  .openapi({ pattern: NAME.source, description: "The name to show.", examples: ["Ada Lovelace"] });

const email = z
  .email()
  .max(254)
  .openapi({
    description: "Belongs to one user only, whatever the case of its letters.",
    examples: ["ada@example.com"],
  });

const ada = {
  id: "42",
  name: "Ada Lovelace",
  email: "ada@example.com",
  createdAt: "2026-01-17T09:00:00.000Z",
  updatedAt: "2026-01-17T09:00:00.000Z",
};

export const UserId = z
  .string()
  .max(36)
  .regex(/^[A-Za-z0-9-]+$/)
  .openapi({ description: "Given by the service; opaque.", examples: ["42"] });

export const User = z
  .object({
    id: UserId,
    name,
    email,
    createdAt: z.iso.datetime().openapi({ description: "When the user was created, in UTC." }),
    updatedAt: z.iso.datetime().openapi({ description: "When the user was last changed, in UTC." }),
  })
  .openapi("User", { description: "Somebody who has an account.", examples: [ada] });

export const NewUser = z.strictObject({ name, email }).openapi("NewUser", {
  description: "What a user is created from.",
  examples: [{ name: ada.name, email: ada.email }],
});

export const UserPatch = z
  .strictObject({ name: name.optional(), email: email.optional() })
  .refine((patch) => Object.keys(patch).length > 0, "Names no property to change")
  .openapi("UserPatch", {
    description: "What to change; a property that is not named stays as it is.",
    minProperties: 1,
    examples: [{ name: "Ada King" }],
  });

export const UserPage = z.object({ items: z.array(User), nextCursor: NextCursor }).openapi("UserPage", {
  description: "Some users, the oldest first.",
  examples: [{ items: [ada], nextCursor: null }],
});

export type User = z.infer<typeof User>;
export type NewUser = z.infer<typeof NewUser>;
export type UserPatch = z.infer<typeof UserPatch>;

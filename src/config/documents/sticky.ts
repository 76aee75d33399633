import { z } from "zod";
import { duration, explain, headerName, oneOf } from "../../policies/shapes.ts";

/** The name of a cookie (RFC 6265 section 4.1.1). */
const COOKIE_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const DAY_MS = 86_400_000;

const shape = z.strictObject({
  by: oneOf("identity", "ip", "header", "cookie").describe(
    "What keeps a caller in its lane. identity: `identity.id` (callers without one: their address, where the gateway knows it); ip: the client's address (IPv6: its /64); header: a field of the request; cookie: one that the gateway itself gives, with a random value, to whoever has none. Requests that lack it are dealt out one by one.",
  ),
  name: z
    .string()
    .optional()
    .describe(
      "With header and cookie: the name of the field or of the cookie. The cookie is the gateway's own: no service should set it too.",
    ),
  maxAge: duration()
    .optional()
    .describe("With cookie: how long a browser keeps it, from 1s to 400d; default 30d."),
});

type Written = z.output<typeof shape>;

interface Wrong {
  readonly path: keyof Written;
  readonly code: string;
  readonly wrong: string;
  readonly remedy: string;
  readonly onKey?: boolean;
}

const wrongAge = ({ by, maxAge }: Written): Wrong | undefined => {
  if (maxAge === undefined) return undefined;
  if (by !== "cookie") {
    const remedy = "Remove `maxAge`, or write `by: cookie`.";
    return {
      path: "maxAge",
      code: "conflicting-keys",
      wrong: "Only a cookie has an age.",
      remedy,
      onKey: true,
    };
  }
  // Browsers keep none for longer (RFC 6265bis section 5.5).
  if (maxAge >= 1000 && maxAge <= 400 * DAY_MS) return undefined;
  const remedy = "Write a duration from 1s to 400d: 30d.";
  return { path: "maxAge", code: "bad-value", wrong: "No cookie is kept for this long.", remedy };
};

const EXAMPLES = {
  header: "letters, digits and hyphens: x-device-id",
  cookie: "letters, digits, hyphens and underscores: lane",
};

const wrongName = ({ by, name }: Written): Wrong | undefined => {
  if (by === "identity" || by === "ip") {
    if (name === undefined) return undefined;
    const wrong = `With \`by: ${by}\` nothing needs a name.`;
    return { path: "name", code: "conflicting-keys", wrong, remedy: "Remove `name`.", onKey: true };
  }
  if (name === undefined) {
    const wrong = `This does not say which ${by}.`;
    return { path: "by", code: "missing-key", wrong, remedy: `Add \`name:\` with ${EXAMPLES[by]}.` };
  }
  const isName = by === "cookie" ? COOKIE_NAME.test(name) : headerName().safeParse(name).success;
  if (isName) return undefined;
  const wrong = `This is not the name of a ${by === "cookie" ? by : "header field"}.`;
  return { path: "name", code: "bad-name", wrong, remedy: `Write ${EXAMPLES[by]}.` };
};

/** What keeps a caller in its lane. */
export const sticky = () =>
  shape
    .superRefine((it, context) => {
      for (const found of [wrongName(it), wrongAge(it)]) {
        if (found === undefined) continue;
        const { path, code, wrong, remedy, onKey } = found;
        const message = explain(wrong, remedy);
        context.addIssue({ code: "custom", path: [path], message, params: { code, onKey } });
      }
    })
    .describe(
      "Keeps callers in their lanes, on every route with the same lanes. A lane whose share grows at the cost of others keeps everybody whom it has; of several that grow, the one that grows by the largest factor does.",
    );

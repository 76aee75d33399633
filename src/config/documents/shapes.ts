import { z } from "zod";
import { parseHostPattern } from "../../lib/host-pattern.ts";
import { removeHopByHop } from "../../lib/http/hop-by-hop.ts";
import { duration, explain, headerName } from "../../policies/shapes.ts";

/** Shapes that several kinds of documents share. */

export const hostPattern = () =>
  z.string().transform((text, context) => {
    const pattern = parseHostPattern(text);
    if (pattern !== undefined) return pattern;
    context.addIssue({
      code: "custom",
      message: explain(
        `"${text}" is not a host.`,
        "Write a host name without scheme and port: api.example.com, {tenant}.example.com or *.example.com.",
      ),
      params: { code: "bad-host" },
    });
    return z.NEVER;
  });

export const hostName = () =>
  z
    .string()
    .regex(
      /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/,
      explain("This is not a host name.", "Write a host name without scheme, port or path: api.example.com."),
    );

/** A path, with or without parameters; what it may hold is looked at where it is used. */
export const pathTemplate = () =>
  z
    .string()
    .regex(/^\//, explain("A path begins with a slash.", "Write the whole path, as in /orders/{orderId}."));

export const pathPrefix = (example: string) =>
  z.string().regex(/^\//, explain("A prefix begins with a slash.", `Write ${example}.`));

const DAY_MS = 86_400_000;

/** Timers of JavaScript end at once beyond 24 days. */
export const timeout = () =>
  duration().refine((ms) => ms > 0 && ms <= DAY_MS, {
    error: explain("This is no time to wait for an answer.", "Write a duration from 1ms to 1d: 5s."),
  });

export const policies = () =>
  z.record(z.string(), z.unknown()).optional().describe("Policies by name; `none` removes an inherited one.");

/** Methods that no gateway passes on: CONNECT opens a tunnel, TRACE shows the request (RFC 9110 sections 9.3.6, 9.3.8). */
const REFUSED_METHODS = ["CONNECT", "TRACE", "TRACK"];

export const isRefusedMethod = (method: string): boolean => REFUSED_METHODS.includes(method);

export const method = () =>
  z
    .string()
    .regex(/^[A-Z][A-Z-]*$/, {
      error: ({ input }) =>
        explain(
          `${JSON.stringify(input)} is not a method.`,
          /^[A-Za-z-]+$/.test(String(input))
            ? `Write methods in capitals: ${String(input).toUpperCase()}.`
            : "Write methods in capitals: [GET, POST].",
        ),
    })
    .refine((name) => !isRefusedMethod(name), {
      error: ({ input }) =>
        explain(`The gateway never answers ${String(input)}.`, "Remove it, or write another method."),
    });

const twice = (name: string): string =>
  explain(`"${name}" stands here twice: the names of header fields have no case.`, "Keep one of the two.");
const reserved = (name: string): string =>
  explain(`"${name}" cannot be written here: it says how a message is framed or sent.`, "Remove this line.");

/** Header fields by name; names have no case, and so none may stand there twice. */
export const headerMap = <T extends z.ZodType>(value: T, isReserved = (_: string): boolean => false) =>
  z
    .record(headerName().in, value)
    .superRefine((map, context) => {
      const seen = new Set<string>();
      const report = (name: string, code: string, message: string): void =>
        context.addIssue({ code: "custom", path: [name], message, params: { code, onKey: true } });
      for (const name of Object.keys(map)) {
        if (seen.has(name.toLowerCase())) report(name, "duplicate-header", twice(name));
        else if (isReserved(name)) report(name, "reserved-header", reserved(name));
        seen.add(name.toLowerCase());
      }
    })
    .transform(
      (map): Record<string, z.output<T>> =>
        Object.fromEntries(
          Object.entries(map as Record<string, z.output<T>>).map(([name, it]) => [name.toLowerCase(), it]),
        ),
    );

const headerValue = () =>
  z
    .string()
    .regex(
      /^[\x20-\x7e]*$/,
      explain("A header field cannot hold this text.", "Write it in one line of visible ASCII characters."),
    );

/** Whether a field belongs to one connection or to the framing of a body, and so to nobody who writes policies. */
const isFraming = (name: string): boolean => {
  const headers = new Headers([[name, "x"]]);
  removeHopByHop(headers);
  return name.toLowerCase() === "content-length" || [...headers].length === 0;
};

/** Header fields of an answer of the gateway's own. */
export const answerHeaders = () => headerMap(headerValue(), isFraming);

import type { Echo } from "./origins.ts";
import type { Case, Expectation, Redirected } from "./suite.ts";

/** An answer of the gateway; fields by lower-case name, repeats joined by a comma. */
export interface Answer {
  readonly status: number;
  readonly fields: Readonly<Record<string, string>>;
  /** What the origin said it received; undefined where no origin answered. */
  readonly echo: Echo | undefined;
}

/** Something that is not as the case has it. */
export interface Fault {
  /** What it is about: status, backend, path, a field … */
  readonly of: string;
  readonly wanted: string;
  readonly got: string;
}

/** Everything in one answer that is not as the case has it. */
export const faultsOf = ({ request, expect }: Case, answer: Answer): readonly Fault[] => [
  ...fault("status", answer.status, expect.status),
  ...originFaults(expect, answer.echo),
  ...responseFaults(expect.response, answer.fields),
  ...(expect.redirect === undefined ? [] : redirectFaults(expect.redirect, request.path, answer.fields)),
];

const shown = (value: unknown): string => (value === undefined ? "none" : String(value));

const fault = (of: string, got: unknown, wanted: readonly unknown[]): Fault[] =>
  wanted.includes(got) ? [] : [{ of, wanted: wanted.map(shown).join(" or "), got: shown(got) }];

const originFaults = (expect: Expectation, echo: Echo | undefined): Fault[] => {
  const { backend, backend_request: sent } = expect;
  const { method, path, host, headers = {}, absent_headers: absent = [] } = sent ?? {};
  const same = (of: "backend" | "method" | "path" | "host", wanted: string | undefined): Fault[] =>
    wanted === undefined ? [] : fault(of, echo?.[of], [wanted]);
  const named = expect.backend_request_header_equals_backend;
  return [
    ...same("backend", backend),
    ...(expect.backend_one_of === undefined ? [] : fault("backend", echo?.backend, expect.backend_one_of)),
    ...same("method", method),
    ...same("path", path),
    ...same("host", host),
    ...Object.entries(headers).flatMap(([name, value]) =>
      fault(`sent ${name.toLowerCase()}`, echo?.headers[name.toLowerCase()], [value]),
    ),
    ...absent.flatMap((name) =>
      fault(`sent ${name.toLowerCase()}`, echo?.headers[name.toLowerCase()], [undefined]),
    ),
    ...(named === undefined
      ? []
      : fault(`sent ${named}`, echo?.headers[named.toLowerCase()], [echo?.backend ?? ""])),
  ];
};

const responseFaults = (wanted: Expectation["response"], fields: Answer["fields"]): Fault[] => {
  const { headers = {}, one_of_headers: oneOf = {}, absent_headers: absent = [] } = wanted ?? {};
  const tidy = (text: string | undefined): string | undefined =>
    wanted?.ignore_whitespace ? text?.replaceAll(/\s/g, "") : text;
  const each: [string, readonly (string | undefined)[]][] = [
    ...Object.entries(headers).map(([name, value]): [string, string[]] => [name, [value]]),
    ...Object.entries(oneOf).map(([name, values]): [string, string[]] => [name, [...values]]),
    ...absent.map((name): [string, undefined[]] => [name, [undefined]]),
  ];
  return each.flatMap(([name, values]) =>
    fault(name.toLowerCase(), tidy(fields[name.toLowerCase()]), values.map(tidy)),
  );
};

const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: "80", https: "443" };

/** Parts of Location. Requests come by http, to a Host without a port: as if to a listener on port 80. */
const redirectFaults = (wanted: Redirected, requestPath: string, fields: Answer["fields"]): Fault[] => {
  const location = fields["location"];
  const [, scheme, host, port, path] = /^(https?):\/\/([^/:]+)(?::(\d+))?(\/.*)?$/.exec(location ?? "") ?? [];
  const ports =
    wanted.port === "default-for-scheme-or-absent" ? [undefined, DEFAULT_PORTS[scheme ?? ""]] : [wanted.port];
  return [
    ...fault("location scheme", scheme, [wanted.scheme === "same-as-request" ? "http" : wanted.scheme]),
    ...(wanted.host === "any" ? [] : fault("location host", host, [wanted.host])),
    ...fault("location port", port, ports),
    ...fault("location path", path ?? "/", [wanted.path === "same-as-request" ? requestPath : wanted.path]),
  ];
};

/** What is wrong with where many requests went: shares within the tolerance, and nothing for a weight of 0. */
export const distributionFaults = (expect: Expectation, answers: readonly Answer[]): readonly Fault[] =>
  Object.entries(expect.distribution ?? {}).flatMap(([backend, wanted]) => {
    const got = answers.filter(({ echo }) => echo?.backend === backend).length / answers.length;
    const holds = wanted === 0 ? got === 0 : Math.abs(got - wanted) <= expect.tolerance_abs!;
    return holds ? [] : [{ of: `share of ${backend}`, wanted: String(wanted), got: String(got) }];
  });

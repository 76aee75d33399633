import { isCredentialParameter } from "../../lib/http/credential-parameters.ts";

/**
 * The query with the values of parameters masked that are named so, or whose name sounds like a credential's. One pass: each
 * parameter is looked at once.
 */
export const maskQuery = (query: string, masked: ReadonlySet<string>): string =>
  (query.startsWith("?") ? query.slice(1) : query)
    .split("&")
    .map((parameter) => {
      const equals = parameter.indexOf("=");
      if (equals < 0) return parameter;
      const name = parameter.slice(0, equals);
      return isSecret(decoded(name), masked) ? `${name}=***` : parameter;
    })
    .join("&");

const isSecret = (name: string, masked: ReadonlySet<string>): boolean =>
  masked.has(name) || isCredentialParameter(name);

const decoded = (name: string): string => {
  try {
    return decodeURIComponent(name.replaceAll("+", " "));
  } catch {
    return name;
  }
};

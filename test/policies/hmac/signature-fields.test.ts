import { describe, expect, it } from "vitest";
import type { Step } from "../../../src/policies/hmac/filter.ts";
import { codeOf, digestField, judge, linkHmac, NOW, posted } from "./support.ts";

const keys: Step["keys"] = [{ id: "new", caller: { name: "new" }, secret: "NEW" }];
const link = () => linkHmac({ scheme: "rfc9421", keys }).policy;

describe("fields that are no signature", () => {
  const GOOD = '("@method" "@authority" "@path" "@query" "content-digest")';
  it.each<[string, string | undefined, string | undefined, string]>([
    ["none", undefined, undefined, "absent"],
    ["no input", undefined, "a=:AAAA:", "signature-malformed"],
    ["no value", `a=${GOOD};created=${NOW}`, undefined, "signature-malformed"],
    ["empty ones", "", "", "signature-malformed"],
    ["labels that differ", `a=${GOOD};created=${NOW}`, "b=:AAAA:", "signature-malformed"],
    [
      "two signatures",
      `a=${GOOD};created=${NOW}, b=${GOOD};created=${NOW}`,
      "a=:AAAA:, b=:AAAA:",
      "signature-malformed",
    ],
    [
      "two inputs of one label",
      `a=${GOOD};created=${NOW}, a=${GOOD};created=${NOW}`,
      "a=:AAAA:",
      "signature-malformed",
    ],
    ["two values of one label", `a=${GOOD};created=${NOW}`, "a=:AAAA:, a=:AAAA:", "signature-malformed"],
    ["no time", `a=${GOOD}`, "a=:AAAA:", "signature-malformed"],
    ["a time as a text", `a=${GOOD};created="${NOW}"`, "a=:AAAA:", "signature-malformed"],
    ["a time with a fraction", `a=${GOOD};created=${NOW}.5`, "a=:AAAA:", "signature-malformed"],
    ["a time before all time", `a=${GOOD};created=-1`, "a=:AAAA:", "signature-malformed"],
    ["a time without end", `a=${GOOD};created=${"9".repeat(16)}`, "a=:AAAA:", "signature-malformed"],
    ["an end that is no time", `a=${GOOD};created=${NOW};expires=never`, "a=:AAAA:", "signature-malformed"],
    ["two times", `a=${GOOD};created=${NOW};created=${NOW}`, "a=:AAAA:", "signature-malformed"],
    ["a key id that is a token", `a=${GOOD};created=${NOW};keyid=new`, "a=:AAAA:", "signature-malformed"],
    ["a nonce that is a number", `a=${GOOD};created=${NOW};nonce=1`, "a=:AAAA:", "signature-malformed"],
    ["no list", `a="@method";created=${NOW}`, "a=:AAAA:", "signature-malformed"],
    ["an empty nonce", `a=${GOOD};created=${NOW};nonce=""`, "a=:AAAA:", "signature-malformed"],
    ["a list that does not end", `a=("@method";created=${NOW}`, "a=:AAAA:", "signature-malformed"],
    ["a list of tokens", `a=(method);created=${NOW}`, "a=:AAAA:", "signature-malformed"],
    ["a component twice", `a=("@method" "@method");created=${NOW}`, "a=:AAAA:", "signature-malformed"],
    ["a component with a parameter", `a=("@method";req);created=${NOW}`, "a=:AAAA:", "signature-malformed"],
    ["a component of another message", `a=("@status");created=${NOW}`, "a=:AAAA:", "signature-malformed"],
    ["one query parameter", `a=("@query-param";name="a");created=${NOW}`, "a=:AAAA:", "signature-malformed"],
    ["a field that is not there", `a=("x-not-there");created=${NOW}`, "a=:AAAA:", "signature-malformed"],
    ["a field in capitals", `a=("Content-Digest");created=${NOW}`, "a=:AAAA:", "signature-malformed"],
    ["a component with a line break", `a=("@method\\n");created=${NOW}`, "a=:AAAA:", "signature-malformed"],
    [
      "components that are not set apart",
      `a=("@method""@path");created=${NOW}`,
      "a=:AAAA:",
      "signature-malformed",
    ],
    ["a value that is a text", `a=${GOOD};created=${NOW}`, 'a="AAAA"', "signature-malformed"],
    ["a value that is no base64", `a=${GOOD};created=${NOW}`, "a=:A:", "signature-malformed"],
    ["a value with a parameter", `a=${GOOD};created=${NOW}`, "a=:AAAA:;x", "signature-malformed"],
    ["something behind the value", `a=${GOOD};created=${NOW}`, "a=:AAAA: b", "signature-malformed"],
    [
      "an input without end",
      `a=${GOOD};created=${NOW};x="${"x".repeat(4096)}"`,
      "a=:AAAA:",
      "signature-malformed",
    ],
    ["a value of another length", `a=${GOOD};created=${NOW}`, "a=:AAAA:", "signature-invalid"],
    ["an empty value", `a=${GOOD};created=${NOW}`, "a=::", "signature-invalid"],
  ])("%s", async (_, input, value, code) => {
    const headers = {
      "content-digest": digestField("x"),
      ...(input !== undefined && { "signature-input": input }),
      ...(value !== undefined && { signature: value }),
    };
    const verdict = await judge(link(), posted("x", headers));
    expect(codeOf(verdict)).toBe(code);
    if (code !== "absent") expect(verdict).toMatchObject({ status: 401 });
  });
});

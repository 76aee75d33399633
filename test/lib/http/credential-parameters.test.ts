import { expect, it } from "vitest";
import { isCredentialParameter } from "../../../src/lib/http/credential-parameters.ts";

it.each<[string, boolean]>([
  ["api_key", true],
  ["apikey", true],
  ["X-Functions-Key", true],
  ["subscription-key", true],
  ["key", true],
  ["access_token", true],
  ["client.secret", true],
  ["Code", true],
  ["keyword", false],
  ["k", false],
  ["page", false],
  ["barcode", false],
])("%s", (name, is) => expect(isCredentialParameter(name)).toBe(is));

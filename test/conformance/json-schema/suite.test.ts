import { describe, expect, it } from "vitest";
import { REFUSED, REFUSED_OF, WRONG } from "./gaps.ts";
import { files, resultsOf } from "./suite.ts";

describe("the JSON Schema Test Suite, draft 2020-12", () => {
  it.each(files)("%s", (file) => {
    const results = resultsOf(file);
    const refused = results.filter((result) => result.refused.length > 0);
    expect(refused).toHaveLength(REFUSED_OF[file] ?? 0);
    for (const { name, refused: codes } of refused)
      expect(codes.some((code) => Object.hasOwn(REFUSED, code)) && name, name).toBe(name);
    const wrong = results.filter((result) => result.wrong.length > 0);
    expect(Object.fromEntries(wrong.map((result) => [result.name, result.wrong]))).toEqual(
      Object.fromEntries(
        Object.entries(WRONG)
          .filter(([name]) => name.startsWith(`${file}: `))
          .map(([name, { tests }]) => [name, tests]),
      ),
    );
  });

  it("is judged but for a few", () => {
    const results = files.flatMap(resultsOf);
    const tests = results.reduce((sum, result) => sum + result.tests, 0);
    const refused = results.reduce(
      (sum, { refused: codes, tests: all }) => sum + (codes.length > 0 ? all : 0),
      0,
    );
    const wrong = results.reduce((sum, result) => sum + result.wrong.length, 0);
    process.stdout.write(
      `JSON Schema: ${tests - refused - wrong} tests hold, ${wrong} do not, ${refused} of schemas that are refused\n`,
    );
    expect(tests).toBe(1647);
  });
});

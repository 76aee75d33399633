import { describe, expect, it } from "vitest";
import { parsePathTemplate, segmentNames, type TemplateSegment } from "../../src/lib/path-template.ts";

const literal = (text: string): TemplateSegment => ({ kind: "literal", text });

describe("templates", () => {
  it.each<[string, readonly TemplateSegment[]]>([
    ["/", []],
    ["/orders", [literal("orders")]],
    ["/orders/", [literal("orders"), literal("")]],
    ["/orders/{orderId}", [literal("orders"), { kind: "param", name: "orderId" }]],
    ["/files/{rest...}", [literal("files"), { kind: "rest", name: "rest" }]],
    ["/{name}.json", [{ kind: "mixed", texts: ["", ".json"], names: ["name"] }]],
    ["/{base}...{head}", [{ kind: "mixed", texts: ["", "...", ""], names: ["base", "head"] }]],
    [
      "/v{version}-{part}/x",
      [{ kind: "mixed", texts: ["v", "-", ""], names: ["version", "part"] }, literal("x")],
    ],
    ["/{user-id}", [{ kind: "param", name: "user-id" }]],
    ["/{user.id}", [{ kind: "param", name: "user.id" }]],
    ["/%6frders", [literal("orders")]],
    ["/caf%c3%a9", [literal("caf%C3%A9")]],
    ["/café", [literal("caf%C3%A9")]],
    ["/a b", [literal("a%20b")]],
    ["/a*b", [literal("a*b")]],
    ["/.well-known", [literal(".well-known")]],
  ])("%s", (text, segments) => expect(parsePathTemplate(text)).toEqual(segments));

  it.each([
    ["orders", "begins with a slash"],
    ["", "begins with a slash"],
    ["/orders//x", "only stand at the end"],
    ["//", "only stand at the end"],
    ["/{id}/{id}", "stands twice"],
    ["/{a}-{a}", "stands twice"],
    ["/{id}/{id...}", "stands twice"],
    ["/{rest...}/x", "only stand at the end"],
    ["/{a}{b}", "nothing between"],
    ["/{", "no segment"],
    ["/{id", "no segment"],
    ["/id}", "no segment"],
    ["/{}", "no segment"],
    ["/{1}", "no segment"],
    ["/{a b}", "no segment"],
    ["/x{rest...}y{", "no segment"],
    ["/..", "cannot be a segment"],
    ["/a/./b", "cannot be a segment"],
    ["/a?b", "cannot be a segment"],
    ["/a#b", "cannot be a segment"],
    ["/a\\b", "cannot be a segment"],
    ["/a%zz", "cannot be a segment"],
  ])("%j is refused: %s", (text, why) => {
    const parsed = parsePathTemplate(text);
    expect(typeof parsed === "string" ? parsed : "accepted").toContain(why);
  });

  it("the names of a segment are in their order", () => {
    const [mixed, param, plain] = parsePathTemplate("/{a}-{b}/{c}/d") as TemplateSegment[];
    expect([mixed, param, plain].map((segment) => segmentNames(segment!))).toEqual([["a", "b"], ["c"], []]);
  });
});

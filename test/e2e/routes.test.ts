import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import github from "../conformance/routes/github.json" with { type: "json" };
import kubernetes from "../conformance/routes/kubernetes.json" with { type: "json" };
import { seededRandom } from "../support/ports.ts";
import { run, type Served, serve, writeWorkspace } from "../support/served.ts";
import { ask, fieldOf, requestText } from "./wire.ts";

interface Route {
  readonly name: string;
  readonly method: string;
  readonly template: string;
}

/** Two real APIs on one host: 1,223 routes of GitHub's and 1,014 of Kubernetes'. */
const ROUTES: readonly Route[] = [
  ...github.map(([method, template], index) => ({
    name: `github-${index}`,
    method: method!,
    template: template!,
  })),
  ...kubernetes.map(([method, template], index) => ({
    name: `kubernetes-${index}`,
    method: method!,
    template: template!,
  })),
];

const SAMPLE = 300;

/** Every route answers with its own name. */
const policies = (routes: readonly Route[]): Record<string, string> => ({
  "a.yaml": `
gateway: { name: large, hosts: { public: 127.0.0.1 } }
apis:
  large:
    public: true
    routes:
${routes
  .map(
    ({ name, method, template }) =>
      `      ${name}: { match: { path: "${template}", methods: [${method}] }, respond: { status: 200, headers: { x-route: ${name} } } }`,
  )
  .join("\n")}
`,
});

const random = seededRandom(2237);
const shuffled = [...ROUTES]
  .map((route) => [random(), route] as const)
  .sort(([one], [other]) => one - other)
  .map(([, route]) => route);

/** A path that a template takes, with values that no literal is equal to. */
const pathOf = ({ template }: Route): string =>
  template.replaceAll(/\{[^}]*\}/g, () => `v${Math.floor(random() * 1e6).toString(36)}.x`);

let served: Served;

beforeAll(async () => {
  served = await serve({ files: policies(ROUTES) });
});
afterAll(async () => {
  expect(await served.stop()).toBe(0);
});

const routed = async (
  method: string,
  target: string,
): Promise<readonly [status: number, route: string | undefined]> => {
  const text = requestText(`${method} ${target}`, ["Connection: close"], "", "127.0.0.1");
  const answer = await ask(served.port, text);
  return [answer.status, fieldOf(answer, "x-route")];
};

describe(`${ROUTES.length} real routes in one policy folder`, () => {
  it(`a sample of ${SAMPLE}, and all with several parameters in a segment, are found by their requests`, async () => {
    const mixed = ROUTES.filter(({ template }) => /\}[^/]+\{/.test(template));
    expect(mixed.length).toBeGreaterThan(0);
    for (const route of [...shuffled.slice(0, SAMPLE), ...mixed]) {
      const target = pathOf(route);
      expect([route.template, target, await routed(route.method, target)]).toEqual([
        route.template,
        target,
        [200, route.name],
      ]);
    }
  });

  it("a path that no route has is 404, another method of a known one 405", async () => {
    expect((await routed("GET", "/repos"))[0]).toBe(404);
    expect((await routed("GET", "/repos/a/b/c/d/e/f/g/h"))[0]).toBe(404);
    expect((await routed("DELETE", "/zen"))[0]).toBe(405);
  });

  it("the order in which they are defined decides nothing: the plan is the same", async () => {
    const { plan } = (await (await fetch(`${served.url}/__postern/health`)).json()) as { plan: string };
    for (const order of [[...ROUTES].reverse(), shuffled]) {
      const { folder, ...made } = await writeWorkspace({ files: policies(order) });
      const out = path.join(folder, "dist");
      const { code, stderr } = await run([
        "compile",
        "--policies",
        made.policies,
        "--openapi",
        made.openapi,
        "--out",
        out,
      ]);
      expect([code, stderr]).toEqual([0, ""]);
      expect((JSON.parse(await readFile(path.join(out, "plan.json"), "utf8")) as { hash: string }).hash).toBe(
        plan,
      );
      await rm(folder, { recursive: true, force: true });
    }
  });
});

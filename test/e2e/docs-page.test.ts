import { readFileSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { describeWithChromium, openPage, startChromium, type WatchedPage } from "../support/chromium.ts";
import { run, type Served, serve } from "../support/served.ts";
import { ROOT } from "./project.ts";

const DESK = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844, isPhone: true };
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** The shop's policies, with its documentation published. */
const shopPolicies = async (): Promise<string> => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "postern-docs-"));
  await cp(path.join(ROOT, "policies"), folder, { recursive: true });
  const file = path.join(folder, "gateway.yaml");
  const text = await readFile(file, "utf8");
  if (!/^ {2}docs:/m.test(text)) await writeFile(file, text.replace(/^ {2}hosts:/m, "  docs: {}\n  hosts:"));
  return folder;
};

let shop: Served;
let policies: string;

beforeAll(async () => {
  policies = await shopPolicies();
  shop = await serve({
    folders: { policies, openapi: path.join(ROOT, "openapi") },
    args: ["--env", "local"],
  });
});

afterAll(async () => {
  await shop.stop();
  await rm(policies, { recursive: true, force: true });
});

describe("the description", () => {
  it("is the same as JSON and as YAML, and names what the gateway offers, but not its own page", async () => {
    const json = (await (await fetch(`${shop.url}/openapi.json`)).json()) as {
      paths: Record<string, unknown>;
    };
    const yaml = await fetch(`${shop.url}/openapi.yaml`);
    expect(yaml.headers.get("content-type")).toBe("application/yaml");
    expect(parse(await yaml.text())).toEqual(json);
    expect(Object.keys(json.paths)).toEqual(expect.arrayContaining(["/users/{userId}", "/orders"]));
    expect(Object.keys(json.paths)).not.toContain("/docs");
  });

  it.each(["/openapi.json", "/openapi.yaml", "/docs"])(
    "%s is not sent to who has it already",
    async (target) => {
      for (const accept of ["gzip", "identity"]) {
        const headers = { "accept-encoding": accept };
        const first = await fetch(shop.url + target, { headers });
        await first.body?.cancel();
        const etag = first.headers.get("etag")!;
        expect(etag).toMatch(/^"[0-9a-f]{16}(\.gz)?"$/);
        const again = await fetch(shop.url + target, { headers: { ...headers, "if-none-match": etag } });
        expect([again.status, again.headers.get("etag"), await again.text()]).toEqual([304, etag, ""]);
        expect(again.headers.get("cache-control")).toBe("no-cache");
      }
    },
  );

  it.each([
    ["POST", "/docs", 405],
    ["DELETE", "/openapi.json", 405],
    ["GET", "/docs/page.js", 404],
    ["GET", "/docs/..%2fworker.js", 400],
    ["GET", "/openapi", 404],
    ["HEAD", "/docs", 200],
  ])("%s %s is answered with %i", async (method, target, status) => {
    const response = await fetch(shop.url + target, { method });
    expect(response.status).toBe(status);
    if (status === 405) expect(response.headers.get("allow")).toBe("GET, HEAD");
    if (method === "HEAD") expect(await response.text()).toBe("");
  });
});

/** What axe finds that keeps people from using the page. */
const barriers = async (page: Page): Promise<string[]> => {
  await page.evaluate(AXE);
  return page.evaluate(
    `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
      violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ": " + html.slice(0, 200))))`,
  );
};

const widthOf = (page: Page): Promise<number> => page.evaluate("document.documentElement.scrollWidth");

describeWithChromium("the page", () => {
  let browser: Browser;
  const open: WatchedPage[] = [];

  beforeAll(async () => {
    browser = await startChromium();
  });

  afterEach(async () => {
    for (const { page } of open.splice(0)) await page.context().close();
  });

  afterAll(() => browser.close());

  const visit = async (screen: typeof DESK, served = shop): Promise<WatchedPage> => {
    const watched = await openPage(browser, screen);
    open.push(watched);
    await watched.page.goto(`${served.url}/docs`);
    await watched.page.waitForSelector(".opblock");
    return watched;
  };

  const operation = (page: Page, id: string) => page.locator(`.opblock[id$="-${id}"]`);

  /** Opens an operation and makes its form ready. */
  const tryOut = async (page: Page, id: string): Promise<ReturnType<Page["locator"]>> => {
    const it = operation(page, id);
    await it.locator(".opblock-summary-control").click();
    await it.locator(".try-out__btn").click();
    return it;
  };

  const authorize = async (page: Page, token: string): Promise<void> => {
    await page.locator(".btn.authorize").click();
    await page.getByRole("dialog").getByLabel("Token").fill(token);
    await page.getByRole("button", { name: "Authorize: apply credentials" }).click();
    await page.keyboard.press("Escape");
    await page.waitForSelector(".modal-ux", { state: "detached" });
  };

  it("shows every operation, asks nobody but its own origin, and keeps to its policy", async () => {
    const { page, requests, complaints } = await visit(DESK);
    expect(await page.title()).toBe(await page.locator("h1").evaluate((it) => it.firstChild!.textContent));
    const paths = await page
      .locator(".opblock-summary-path")
      .evaluateAll((all) => all.map((it) => (it as unknown as { dataset: { path: string } }).dataset.path));
    expect(paths).toEqual(expect.arrayContaining(["/users", "/users/{userId}", "/orders/{orderId}/cancel"]));
    expect([...new Set(requests.map((url) => new URL(url).origin))]).toEqual([shop.url]);
    expect(complaints).toEqual([]);
  });

  it("can neither run nor reach what is not its own", async () => {
    const { page, complaints } = await visit(DESK);
    await page.evaluate(
      `fetch("https://canary.example/").catch(() => {});
       const script = document.createElement("script");
       script.textContent = "document.title = 'taken'";
       document.body.append(script);
       const image = new Image();
       image.src = "https://canary.example/pixel";`,
    );
    await expect
      .poll(() => complaints.filter((words) => words.startsWith("violates")).sort())
      .toEqual([
        "violates connect-src: https://canary.example/",
        "violates img-src: https://canary.example/pixel",
        "violates script-src-elem: inline",
      ]);
    expect(await page.title()).not.toBe("taken");
  });

  it("calls an operation with a token, where the page came from, and forgets the token", async () => {
    const { stdout } = await run(["token", "--env", "local", "--sub", "42", "--scope", "users.read"]);
    const { page, requests, complaints } = await visit(DESK);
    await authorize(page, stdout.trim());
    const show = await tryOut(page, "getUser");
    await show.locator('tr[data-param-name="userId"] input').fill("42");
    const sent = page.waitForRequest((request) => request.url().includes("/users/42"));
    await show.getByRole("button", { name: "Execute" }).click();
    expect((await (await sent).allHeaders())["authorization"]).toBe(`Bearer ${stdout.trim()}`);
    await show.locator(".live-responses-table").waitFor();
    expect(await show.locator(".live-responses-table .response-col_status").last().innerText()).toContain(
      "200",
    );
    expect(requests.at(-1)).toBe(`${shop.url}/users/42`);
    expect(complaints).toEqual([]);
    const kept = "JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])";
    expect(await page.evaluate(kept)).toBe('[{},{},""]');
    await page.reload();
    await page.waitForSelector(".btn.authorize.unlocked");
  });

  it("needs no mouse: the skip link, an operation, and the dialog with its focus", async () => {
    const { page } = await visit(DESK);
    const focused = (expression: string): Promise<unknown> =>
      page.evaluate(`(({ activeElement: it }) => ${expression})(document)`);
    await page.keyboard.press("Tab");
    expect(await focused("it.textContent")).toBe("Skip to the operations");
    expect(await focused("getComputedStyle(it).outlineWidth")).toBe("3px");
    await page.keyboard.press("Enter");
    expect(await focused("it.id")).toBe("operations");
    for (let presses = 0; presses < 6; presses++) {
      await page.keyboard.press("Tab");
      if (await focused('it.matches(".opblock-summary-control")')) break;
    }
    expect(await focused("getComputedStyle(it).outlineWidth")).toBe("3px");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".opblock.is-open .responses-wrapper");
    expect(await focused("it.getAttribute('aria-expanded')")).toBe("true");
    await page.locator(".btn.authorize").focus();
    await page.keyboard.press("Enter");
    await page.waitForSelector(".modal-ux");
    await expect.poll(() => focused("it.id")).toBe("auth-bearer-value");
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Shift+Tab");
    expect(await focused("it.closest('.modal-ux') !== null")).toBe(true);
    await page.keyboard.press("Escape");
    await page.waitForSelector(".modal-ux", { state: "detached" });
    await expect.poll(() => focused("it.matches('.btn.authorize')")).toBe(true);
  });

  it.each([
    ["a desk", DESK],
    ["a phone", PHONE],
  ])("has no barriers on %s, and no sideways scrolling, whatever is open", async (_, screen) => {
    const { page } = await visit(screen);
    expect(await barriers(page)).toEqual([]);
    await page.locator(".btn.authorize").click();
    await page.waitForSelector(".modal-ux[role=dialog]");
    expect(await barriers(page)).toEqual([]);
    await page.keyboard.press("Escape");
    const list = await tryOut(page, "listOrders");
    await list.getByRole("button", { name: "Execute" }).click();
    await list.locator(".live-responses-table").waitFor();
    await (await tryOut(page, "createOrder")).locator("textarea").waitFor();
    expect(await barriers(page)).toEqual([]);
    expect(await widthOf(page)).toBe(screen.width);
  });

  it("is quick with 900 operations", { timeout: 120_000 }, async () => {
    const many = await serve({
      files: { "gateway.yaml": MANY_POLICIES },
      openapi: { "many.json": JSON.stringify(manyOperations()) },
    });
    try {
      for (const [name, screen] of [
        ["a desk", DESK],
        ["a phone", PHONE],
      ] as const) {
        const begun = performance.now();
        const { page, complaints } = await visit(screen, many);
        const shownMs = performance.now() - begun;
        await page.locator(".operation-filter-input").fill("/things29/5");
        await page.waitForSelector('.opblock-summary-path[data-path^="/things29/5"]');
        const filteredMs = performance.now() - begun - shownMs;
        await page.locator(".opblock-summary-control").first().click();
        await page.waitForSelector(".opblock.is-open .responses-wrapper");
        const openMs = performance.now() - begun - shownMs - filteredMs;
        const told = [shownMs, filteredMs, openMs].map((ms) => `${Math.round(ms)} ms`).join(", ");
        console.info(`900 operations on ${name}: first operations, one found, one open after ${told}`);
        // The renderer draws what is seen, and not all that there is.
        expect(await page.locator(".opblock").count()).toBeLessThan(60);
        expect(complaints).toEqual([]);
        expect(await widthOf(page)).toBe(screen.width);
        expect(Math.max(shownMs, filteredMs, openMs)).toBeLessThan(10_000);
      }
    } finally {
      await many.stop();
    }
  });
});

const MANY_POLICIES = `gateway:
  name: many
  docs: {}
  hosts: { public: 127.0.0.1 }
  clientIp: connection
upstreams:
  things: { targets: { main: { url: "https://192.0.2.1", network: private } } }
apis:
  things: { upstream: things, public: true, openapi: { file: many.json, operations: all } }
`;

/** A description of 900 operations of 30 tags, each with parameters, a body and a schema of its own. */
const manyOperations = (): object => {
  const numbers = Array.from({ length: 900 }, (_, index) => index);
  const answer = (index: number) => ({
    description: "The thing.",
    content: { "application/json": { schema: { $ref: `#/components/schemas/Thing${index}` } } },
  });
  return {
    openapi: "3.1.0",
    info: { title: "Many things", version: "1.0.0" },
    paths: Object.fromEntries(
      numbers.map((index) => [
        `/things${index % 30}/${index}/{thing}`,
        {
          put: {
            operationId: `putThing${index}`,
            summary: `Put the thing ${index}`,
            tags: [`things ${index % 30}`],
            parameters: [
              { name: "thing", in: "path", required: true, schema: { type: "string" } },
              { name: "since", in: "query", schema: { type: "string", format: "date-time" } },
            ],
            requestBody: {
              content: { "application/json": { schema: { $ref: `#/components/schemas/Thing${index}` } } },
            },
            responses: { 200: answer(index) },
          },
        },
      ]),
    ),
    components: {
      schemas: Object.fromEntries(
        numbers.map((index) => [
          `Thing${index}`,
          {
            type: "object",
            properties: Object.fromEntries(
              Array.from({ length: 12 }, (_, at) => [
                `property${at}`,
                { type: "string", description: `Of ${index}.` },
              ]),
            ),
          },
        ]),
      ),
    },
  };
};

import { accessSync, constants } from "node:fs";
import path from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { describe, it } from "vitest";

/** The browser's command, if it is there; the package is called chromium on Debian. */
export const chromiumPath = (): string | undefined =>
  ["chromium", "chromium-browser", "google-chrome"]
    .flatMap((name) =>
      (process.env["PATH"] ?? "").split(path.delimiter).map((folder) => path.join(folder, name)),
    )
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });

/**
 * A suite in a real browser. Where none is installed its tests are skipped, and the suite's name says so; in CI they must not
 * be, so that there the suite fails.
 */
export const describeWithChromium = (name: string, suite: () => void): void => {
  if (chromiumPath() !== undefined) return void describe(name, suite);
  const remedy = "no chromium is installed: apt-get install chromium";
  if (process.env["CI"] === undefined) {
    console.warn(`SKIPPED: ${name} (${remedy})`);
    return void describe.skip(name, suite);
  }
  it(`${name}: CI skips nothing, and needs chromium`, () => {
    throw new Error(remedy);
  });
};

/** Starts the browser. Its sandbox does not work for root, as whom containers run; it sees only pages of our own here. */
export const startChromium = (): Promise<Browser> =>
  chromium.launch({ executablePath: chromiumPath()!, args: ["--no-sandbox"] });

/** A page, and what it did that a strict page does not do. */
export interface WatchedPage {
  readonly page: Page;
  /** Every request of the page, by its URL. */
  readonly requests: readonly string[];
  /** What its Content-Security-Policy forbade, what it threw, and what it complained of. */
  readonly complaints: readonly string[];
}

export interface Screen {
  readonly width: number;
  readonly height: number;
  readonly isPhone?: boolean;
}

/** Opens a page of a profile of its own. */
export const openPage = async (
  browser: Browser,
  { width, height, isPhone = false }: Screen,
): Promise<WatchedPage> => {
  const context = await browser.newContext({
    viewport: { width, height },
    isMobile: isPhone,
    hasTouch: isPhone,
  });
  const page = await context.newPage();
  const requests: string[] = [];
  const complaints: string[] = [];
  await page.exposeFunction("complain", (words: string) => void complaints.push(words));
  await page.addInitScript(
    `document.addEventListener("securitypolicyviolation", (it) => complain("violates " + it.effectiveDirective + ": " + it.blockedURI));`,
  );
  page.on("request", (request) => {
    if (!/^(data|blob):/.test(request.url())) requests.push(request.url());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  return { page, requests, complaints };
};

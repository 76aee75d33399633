import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readSources } from "../../src/adapters/node/files.ts";
import { renderContract } from "../../src/contract/render.ts";
import { isPublicDocument } from "../../src/core/public-document.ts";

const DOCUMENT = {
  openapi: "3.1.0",
  paths: {
    "/a": {
      get: {
        responses: { "200": { description: "It is so." } },
        parameters: [{ schema: { enum: ["on", "2026-01-01"], type: "string" }, in: "query", name: "a" }],
      },
    },
  },
};

describe("the text of a public document", () => {
  it.each(["yaml", "json"] as const)("says in %s that it was written, and means the same", (format) => {
    const text = renderContract(DOCUMENT, format);
    expect(isPublicDocument(text)).toBe(true);
    expect(parse(text)).toMatchObject(DOCUMENT);
  });

  it("is read alike by readers of YAML 1.1, to which more words mean something", () => {
    const text = renderContract(DOCUMENT, "yaml");
    expect(text).toContain('- "on"');
    expect(text).toContain('- "2026-01-01"');
    expect(parse(text, { version: "1.1" })).toEqual(DOCUMENT);
  });

  it("begins each object with what tells it from others", () => {
    expect(renderContract(DOCUMENT, "yaml")).toMatch(
      /- name: a\n +in: query\n +schema:\n +type: string\n +enum:/,
    );
  });

  it.each([
    ["an empty text", ""],
    ["another document", "openapi: 3.1.0\n"],
    ["one of a service", "# Written by src/services/openapi.ts from src/services/users: change it there.\n"],
    ["one in JSON", '{ "openapi": "3.1.0" }'],
  ])("%s is none", (_, text) => {
    expect(isPublicDocument(text)).toBe(false);
  });
});

describe("a public document among those of the services", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), "postern-public-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("is not read as one of them", async () => {
    await writeFile(path.join(folder, "public.yaml"), renderContract(DOCUMENT, "yaml"));
    await writeFile(path.join(folder, "public.json"), renderContract(DOCUMENT, "json"));
    await writeFile(path.join(folder, "users.yaml"), "openapi: 3.1.0\n");
    const { openapi } = await readSources(path.join(folder, "none"), folder);
    expect([...openapi.keys()]).toEqual(["users.yaml"]);
  });
});

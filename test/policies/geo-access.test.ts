import { describe, expect, it } from "vitest";
import type { FilterFactory } from "../../src/core/policy.ts";
import { countryMeant, isCountry } from "../../src/policies/geo-access/countries.ts";
import { filter, type Step } from "../../src/policies/geo-access/filter.ts";
import { geoAccess } from "../../src/policies/geo-access/policy.ts";
import { compiled, compiledApis, planOf, sourcesOf, stepsOf } from "../support/compiling.ts";
import { fakeExchange, fakePorts, fakeSite } from "../support/ports.ts";
import { compilePolicy, type Place } from "./compiling.ts";

const CLOUDFLARE: Place = { gateway: { clientIp: "cloudflare" } };

/** The answer to a client from a country, under lists of one or more levels. */
const answer = (configs: readonly object[], clientCountry: string): Response => {
  const { step, faults } = compilePolicy(
    geoAccess,
    configs.map((config) => ({ config })),
    "only",
    CLOUDFLARE,
  );
  if (step === undefined) throw new Error(JSON.stringify(faults));
  const handler = (filter as FilterFactory<Step>)(step as Step, fakePorts(), fakeSite())!(
    () => new Response(),
  );
  // A header of the client's is nobody's word (S38).
  const request = new Request("https://api.example.com/", { headers: { "cf-ipcountry": "DE" } });
  return handler(fakeExchange(request, { clientCountry })) as Response;
};

describe("a client", () => {
  const HOME = { allow: ["DE", "AT", "CH"] };
  const AWAY = { deny: ["KP", "T1"] };
  const BOTH = { allow: ["DE", "AT"], deny: ["AT"] };

  it.each<[string, readonly object[], string, boolean]>([
    ["of a country that is allowed", [HOME], "AT", true],
    ["of another one", [HOME], "FR", false],
    ["of Tor, which is no country", [HOME], "T1", false],
    ["of Tor where that is allowed", [{ allow: ["DE", "T1"] }], "T1", true],
    ["of an address without a country", [HOME], "XX", false],
    ["of an address without a country where that is allowed", [{ allow: ["DE", "XX"] }], "XX", true],
    ["of whom nothing is told", [HOME], "", false],
    ["of whom nothing is told, where no country is needed", [{ allow: ["XX"] }], "", false],
    ["of a country that is refused", [AWAY], "KP", false],
    ["of Tor where that is refused", [AWAY], "T1", false],
    ["of Tor where others are refused", [{ deny: ["KP"] }], "T1", true],
    ["of a country that is not refused", [AWAY], "DE", true],
    ["of an address without a country where others are refused", [AWAY], "XX", false],
    ["of whom nothing is told, where others are refused", [AWAY], "", false],
    ["of a country where only the unknown is refused", [{ deny: ["XX"] }], "DE", true],
    ["of a country that is allowed and refused", [BOTH], "AT", false],
    ["of a country that is allowed and not refused", [BOTH], "DE", true],
    ["of a country that all levels allow", [HOME, { allow: ["AT", "FR"] }], "AT", true],
    ["of a country that one level allows", [HOME, { allow: ["AT", "FR"] }], "FR", false],
    ["of a country that one level allows and one refuses", [HOME, { deny: ["CH"] }], "CH", false],
    ["of a country that one level refuses and one allows", [{ deny: ["CH"] }, HOME], "CH", false],
    ["of a country that one of two refuses", [{ deny: ["CH"] }, AWAY], "CH", false],
    ["of a country that none of two refuses", [{ deny: ["CH"] }, AWAY], "DE", true],
    ["without a country where one of two allows that", [{ deny: ["CH"] }, { allow: ["XX"] }], "XX", false],
    ["of a country in small letters, which nobody sends", [HOME], "de", false],
  ])("%s", (_, configs, country, expected) => {
    expect(answer(configs, country).status).toBe(expected ? 200 : 403);
  });

  it("that is refused learns nothing of the lists", async () => {
    const refused = answer([{ allow: ["DE"] }], "FR");
    const text = await refused.text();
    expect(JSON.parse(text)).toMatchObject({ code: "country-refused", status: 403 });
    expect(text).not.toMatch(/\b(DE|FR)\b/);
  });
});

describe("the codes of countries", () => {
  const names = new Intl.DisplayNames("en", { type: "region", fallback: "none" });
  const pairs = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"].flatMap((one, _, letters) =>
    letters.map((other) => one + other),
  );

  it("are the 249 of ISO 3166-1, and Kosovo, Tor and the unknown", () => {
    expect(pairs.filter(isCountry).length).toBe(249 + 2);
    expect(["XK", "XX", "T1"].filter(isCountry)).toEqual(["XK", "XX", "T1"]);
  });

  it("are all known to Unicode, which knows beside them only what is reserved or not assigned any more", () => {
    expect(pairs.filter((code) => isCountry(code) && code !== "XX" && names.of(code) === undefined)).toEqual(
      [],
    );
    expect(pairs.filter((code) => !isCountry(code) && names.of(code) !== undefined).join(" ")).toBe(
      "AC AN BU CP CQ CS DD DG DY EA EU EZ FX HV IC NH QO RH SU TA TP UK UN VD XA XB YD YU ZR ZZ",
    );
  });

  it.each(["de", "DEU", "", "D", "EU", "UK", "SU", "276", "constructor", "__proto__"])(
    "%j is none",
    (text) => {
      expect(isCountry(text)).toBe(false);
    },
  );

  it.each([
    ["de", "DE"],
    ["uk", "GB"],
    ["EL", "GR"],
    ["Germany", "DE"],
    ["south korea", "KR"],
    ["t1", "T1"],
    ["Europe", undefined],
    ["constructor", undefined],
  ])("%j may mean %j", (text, expected) => {
    expect(countryMeant(text)).toBe(expected);
  });

  it("hold Norway, which older YAML takes for a no", () => {
    const { plan, codes } = compiled(
      sourcesOf({
        "a.yaml": `gateway: { hosts: { public: a.example.com }, clientIp: cloudflare, policies: { geoAccess: { allow: [NO, SE] } } }
upstreams: { orders: { targets: { main: { binding: ORDERS } } } }
apis: { shop: { public: true, upstream: orders, routes: { get: { match: { path: / } } } } }
`,
      }),
    );
    expect(codes).toEqual([]);
    expect(stepsOf(plan!, "shop.get")[0]!.step).toEqual({ allowed: true, codes: ["NO", "SE"] });
  });
});

describe("is at fault", () => {
  const faults = (configs: readonly object[], place: Place = CLOUDFLARE) =>
    compilePolicy(
      geoAccess,
      configs.map((config) => ({ config })),
      "only",
      place,
    ).faults.map(({ code, at }) => `${code} ${at}`.trim());

  it.each<[string, readonly object[], readonly string[]]>([
    ["no list", [{}], ["empty-access"]],
    ["an empty list", [{ deny: [] }], ["too_small deny"]],
    ["what is no code", [{ deny: ["DE", "Europe"] }], ["unknown-country deny.1"]],
    ["a code twice", [{ deny: ["DE", "AT", "DE"] }], ["country-twice deny.2"]],
    [
      "a code that is refused anyway",
      [{ allow: ["DE", "AT"], deny: ["AT"] }],
      ["allowed-and-denied allow.1"],
    ],
    ["levels without a country in common", [{ allow: ["DE"] }, { allow: ["AT"] }], ["nobody-allowed"]],
  ])("%s", (_, configs, expected) => {
    expect(faults(configs)).toEqual(expected);
  });

  it.each(["connection", { trustedHops: 1 }, undefined] as const)(
    "a gateway whose clientIp is %j",
    (clientIp) => {
      expect(faults([{ allow: ["DE"] }], { gateway: { clientIp } })).toEqual(["country-unknown"]);
    },
  );

  it("in development only warned of, and without an effect there", () => {
    const { step, faults: found } = compilePolicy(geoAccess, [{ config: { allow: ["DE"] } }], "only", {
      gateway: { clientIp: "connection", development: true },
    });
    expect({ step, codes: found.map(({ code }) => code) }).toEqual({
      step: undefined,
      codes: ["country-unknown"],
    });
    const shop = (gateway: string) =>
      compiledApis(
        "apis: { shop: { public: true, upstream: orders, routes: { get: { match: { path: / } } } } }",
        {
          gateway,
        },
      );
    expect(shop("  policies: { geoAccess: { allow: [DE] } }\n").plan).toBeUndefined();
  });

  it("in development, where Cloudflare is in front, has its effect", () => {
    const place: Place = { gateway: { clientIp: "cloudflare", development: true } };
    const { step, faults: found } = compilePolicy(geoAccess, [{ config: { allow: ["DE"] } }], "only", place);
    expect({ step, found }).toEqual({ step: { allowed: true, codes: ["DE"] }, found: [] });
  });

  it("is silent in an environment that leaves it out", () => {
    const files = sourcesOf({
      "a.yaml": `gateway: { hosts: { public: a.example.com }, clientIp: cloudflare, policies: { geoAccess: { allow: [DE] } } }
environments:
  production: {}
  local: { development: true, gateway: { clientIp: connection, policies: { geoAccess: none } } }
upstreams: { orders: { targets: { main: { binding: ORDERS } } } }
apis: { shop: { public: true, upstream: orders, routes: { get: { match: { path: / } } } } }
`,
    });
    expect(compiled(files, "local").codes).toEqual([]);
    expect(stepsOf(planOf(compiled(files, "production")), "shop.get")).toHaveLength(1);
  });
});

import { describe, expect, it } from "vitest";
import { fakePorts, fakeSite } from "../../support/ports.ts";
import { upstreamHeaders } from "../compiling.ts";
import { codeOf, hexOf, judge, linkHmac, NEW, NOW, OLD, posted, step } from "./support.ts";

const BODY = '{"action":"opened","text":"ö"}';

const github = (body: string, secret = NEW, over: Record<string, string> = {}) =>
  posted(body, { "x-hub-signature-256": `sha256=${hexOf(secret, body)}`, ...over });

describe("hmac of github", () => {
  it("knows the example of GitHub's documentation", async () => {
    const { policy } = linkHmac({}, { NEW: "It's a Secret to Everybody" });
    const signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    expect(codeOf(await judge(policy, posted("Hello, World!", { "x-hub-signature-256": signature })))).toBe(
      "passed",
    );
  });

  it("passes the very bytes on to the upstream, and not the signature", async () => {
    const { policy } = linkHmac({});
    const exchange = github(BODY, NEW, { "x-hub-signature": "sha1=00" });
    const verdict = await judge(policy, exchange);
    expect(verdict).toMatchObject({ outcome: "passed", identity: { kind: "hmac", id: "hmac/NEW" } });
    expect(new TextDecoder().decode(exchange.requestBody as Uint8Array)).toBe(BODY);
    exchange.requestEdits.push(...policy.always);
    expect([...upstreamHeaders(exchange).keys()].filter((name) => name.startsWith("x-hub"))).toEqual([]);
  });

  it("passes the signature on where it is told to", () => {
    expect(linkHmac({ forwardCredential: true }).policy.always).toEqual([]);
  });

  it.each<[string, () => ReturnType<typeof posted>, string]>([
    ["none", () => posted(BODY), "absent"],
    ["the one of SHA-1 alone", () => posted(BODY, { "x-hub-signature": "sha1=aa" }), "absent"],
    ["another body", () => posted(`${BODY} `, headersOf(github(BODY))), "signature-invalid"],
    ["another secret", () => github(BODY, "somebody else's secret, of 32 byt"), "signature-invalid"],
    ["an empty one", () => posted(BODY, { "x-hub-signature-256": "" }), "signature-malformed"],
    ["no digits", () => posted(BODY, { "x-hub-signature-256": "sha256=" }), "signature-malformed"],
    [
      "half of its digits",
      () => posted(BODY, { "x-hub-signature-256": `sha256=${hexOf(NEW, BODY).slice(32)}` }),
      "signature-malformed",
    ],
    [
      "digits and more",
      () => posted(BODY, { "x-hub-signature-256": `sha256=${hexOf(NEW, BODY)}0` }),
      "signature-malformed",
    ],
    [
      "capitals",
      () => posted(BODY, { "x-hub-signature-256": `sha256=${hexOf(NEW, BODY).toUpperCase()}` }),
      "signature-malformed",
    ],
    [
      "another hash",
      () => posted(BODY, { "x-hub-signature-256": `sha1=${hexOf(NEW, BODY)}` }),
      "signature-malformed",
    ],
    [
      "two, a good one first",
      () =>
        github(BODY, NEW, { "x-hub-signature-256": `sha256=${hexOf(NEW, BODY)}, sha256=${"0".repeat(64)}` }),
      "signature-malformed",
    ],
    [
      "two good ones",
      () =>
        github(BODY, NEW, {
          "x-hub-signature-256": `sha256=${hexOf(NEW, BODY)}, sha256=${hexOf(NEW, BODY)}`,
        }),
      "signature-malformed",
    ],
    ["zeros", () => posted(BODY, { "x-hub-signature-256": `sha256=${"0".repeat(64)}` }), "signature-invalid"],
    [
      "a good one of no body",
      () => posted(null, { "x-hub-signature-256": `sha256=${hexOf(NEW, "")}` }),
      "passed",
    ],
    ["a good one", () => github(BODY), "passed"],
  ])("with %s", async (_, make, code) => {
    const verdict = await judge(linkHmac({}).policy, make());
    expect(codeOf(verdict)).toBe(code);
    if (verdict.outcome === "refused") {
      expect(verdict).toMatchObject({ status: 401, challenge: 'Signature realm="shop"' });
    }
  });

  it("holds what it reads of a body to its limit, whatever the length says", async () => {
    const stream = (bytes: number) =>
      new ReadableStream({
        start: (controller) => {
          controller.enqueue(new Uint8Array(bytes));
          controller.close();
        },
      });
    const { policy } = linkHmac({ maxBytes: 100 });
    const field = { "x-hub-signature-256": `sha256=${"0".repeat(64)}` };
    for (const exchange of [
      posted("x".repeat(101), field),
      posted(stream(101), field),
      posted("x", { ...field, "content-length": "101" }),
    ]) {
      const verdict = await judge(policy, exchange);
      expect(verdict).toMatchObject({ outcome: "answered", code: "body-too-large" });
      expect(verdict.outcome === "answered" && verdict.response.status).toBe(413);
    }
    expect(codeOf(await judge(policy, posted(stream(100), field)))).toBe("signature-invalid");
  });

  it("reads the body that a policy before it has put in place", async () => {
    const exchange = github(BODY);
    exchange.requestBody = new Blob([BODY]).stream() as ReadableStream<Uint8Array>;
    expect(codeOf(await judge(linkHmac({}).policy, exchange))).toBe("passed");
  });

  it("says that a body broke off", async () => {
    const broken = new ReadableStream({ pull: (controller) => controller.error(new Error("gone")) });
    const verdict = await judge(linkHmac({}).policy, posted(broken, headersOf(github(BODY))));
    expect(verdict.outcome === "answered" && [verdict.code, verdict.response.status]).toEqual([
      "body-incomplete",
      400,
    ]);
  });
});

describe("several secrets", () => {
  const keys = [
    { id: null, caller: { name: "OLD" }, secret: "OLD" },
    {
      id: null,
      caller: { name: "acme", consumer: { name: "acme", plan: "gold", attributes: { tenant: "a1" } } },
      secret: "NEW",
    },
  ];

  it.each([
    [OLD, { kind: "hmac", id: "hmac/OLD" }],
    [NEW, { kind: "hmac", id: "acme", consumer: { name: "acme", plan: "gold" } }],
  ])("are good at once, and each says who signed", async (secret, identity) => {
    const { policy } = linkHmac({ keys });
    expect(await judge(policy, github(BODY, secret))).toMatchObject({ outcome: "passed", identity });
  });

  it("forward what is known of who signed, and delete what a client says of it whatever comes", async () => {
    const forward = { "x-who": "name", "x-tenant": "attributes.tenant", "x-key": "key" };
    const { policy } = linkHmac({ keys, forward });
    for (const [exchange, expected] of [
      [
        github(BODY, NEW, { "x-who": "root", "x-key": "k" }),
        { "x-who": "acme", "x-tenant": "a1", "x-key": null },
      ],
      [github(BODY, "wrong", { "x-who": "root", "x-tenant": "z" }), { "x-who": null, "x-tenant": null }],
      [posted(BODY, { "x-who": "root" }), { "x-who": null }],
    ] as const) {
      const verdict = await judge(policy, exchange);
      exchange.requestEdits.push(...policy.always, ...(verdict.outcome === "passed" ? verdict.edits : []));
      const headers = upstreamHeaders(exchange);
      for (const [name, value] of Object.entries(expected))
        expect([name, headers.get(name)]).toEqual([name, value]);
    }
  });

  it("that are too short are told of without a word of them, and check nothing", async () => {
    const { policy, ports } = linkHmac({ keys }, { OLD: "fifteen bytes..", NEW });
    expect(codeOf(await judge(policy, github(BODY, "fifteen bytes..")))).toBe("signature-invalid");
    expect(codeOf(await judge(policy, github(BODY)))).toBe("passed");
    expect(ports.records).toEqual([
      { level: "error", message: "The secret OLD signs requests, has 15 bytes, and needs at least 16." },
    ]);
  });

  it.each([
    ["", "x"],
    [undefined, undefined],
  ])("none of which will do let nobody in", async (old, other) => {
    const { policy } = linkHmac({ keys }, { OLD: old, NEW: other } as Record<string, string>);
    for (const secret of [old ?? "", other ?? ""])
      expect(await judge(policy, github(BODY, secret))).toMatchObject({
        outcome: "refused",
        status: 503,
        code: "signature-keys-unavailable",
      });
    expect(codeOf(await judge(policy, posted(BODY)))).toBe("absent");
  });
});

describe("hmac of stripe", () => {
  const stripe = (t: number | string, body = BODY, secrets = [NEW]) =>
    `t=${t},${secrets.map((secret) => `v1=${hexOf(secret, `${t}.${body}`)}`).join(",")}`;
  const at = (field: string, body = BODY) => posted(body, { "stripe-signature": field });
  const other = "f".repeat(64);

  it.each<[string, string, string]>([
    ["a good one", stripe(NOW), "passed"],
    ["the oldest that is good", stripe(NOW - 299), "passed"],
    ["one that is too old", stripe(NOW - 300), "signature-expired"],
    ["one of a clock that is ahead", stripe(NOW + 30), "passed"],
    ["one of the future", stripe(NOW + 31), "signature-expired"],
    ["a wrong one before a good one", `t=${NOW},v1=${other},${stripe(NOW).split(",")[1]}`, "passed"],
    ["one of another scheme beside it", `${stripe(NOW)},v0=${other}`, "passed"],
    ["blanks", stripe(NOW).replace(",", ", "), "passed"],
    ["another time than was signed", stripe(NOW).replace(`t=${NOW}`, `t=${NOW - 1}`), "signature-invalid"],
    ["two times", `t=${NOW},${stripe(NOW - 1)}`, "signature-malformed"],
    ["the same time twice", `t=${NOW},${stripe(NOW)}`, "signature-malformed"],
    ["two fields", `${stripe(NOW)}, ${stripe(NOW)}`, "signature-malformed"],
    ["no time", stripe(NOW).split(",")[1]!, "signature-malformed"],
    ["a time with a sign", stripe(`+${NOW}`), "signature-malformed"],
    ["a time with a fraction", stripe(`${NOW}.0`), "signature-malformed"],
    ["a time with a zero before it", stripe(`0${NOW}`), "signature-malformed"],
    ["a time in hexadecimal", stripe("0x6955b900"), "signature-malformed"],
    ["a time of letters", stripe("NaN"), "signature-malformed"],
    ["a time without end", stripe("9".repeat(13)), "signature-malformed"],
    ["the one of another scheme alone", `t=${NOW},v0=${hexOf(NEW, `${NOW}.${BODY}`)}`, "signature-malformed"],
    ["too many", `t=${NOW},${`v1=${other},`.repeat(4)}v1=${other}`, "signature-malformed"],
    ["a good one among some that are none", `${stripe(NOW)},v1=x`, "signature-malformed"],
    ["nothing", "", "signature-malformed"],
    ["rubbish", "rubbish", "signature-malformed"],
    ["a field without end", `t=${NOW},${"x=1,".repeat(300)}`, "signature-malformed"],
    ["the secret of somebody else", stripe(NOW, BODY, [OLD]), "signature-invalid"],
  ])("with %s", async (_, field, code) => {
    expect(codeOf(await judge(linkHmac({ scheme: "stripe" }).policy, at(field)))).toBe(code);
  });

  it("takes the time into account that the policy allows", async () => {
    const { policy } = linkHmac({ scheme: "stripe", maxAgeMs: 10_000 });
    expect(codeOf(await judge(policy, at(stripe(NOW - 9))))).toBe("passed");
    expect(codeOf(await judge(policy, at(stripe(NOW - 10))))).toBe("signature-expired");
  });

  it("knows a request again that is signed with both secrets while they are changed", async () => {
    const keys = ["OLD", "NEW"].map((secret) => ({ id: null, caller: { name: "it" }, secret }));
    const { policy } = linkHmac({ scheme: "stripe", keys });
    const [t, first, second] = stripe(NOW, BODY, [OLD, NEW]).split(",");
    expect(codeOf(await judge(policy, at(`${t},${first},${second}`)))).toBe("passed");
    for (const field of [`${t},${first}`, `${t},${second}`, `${t},${second},${first}`])
      expect(codeOf(await judge(policy, at(field)))).toBe("signature-replayed");
  });
});

describe("a signature that comes again", () => {
  it("is refused until it is too old", async () => {
    const { policy, ports } = linkHmac({});
    expect(codeOf(await judge(policy, github(BODY)))).toBe("passed");
    ports.clock.advance(299_999);
    expect(codeOf(await judge(policy, github(BODY)))).toBe("signature-replayed");
    ports.clock.advance(1);
    expect(codeOf(await judge(policy, github(BODY)))).toBe("passed");
  });

  it("is refused on other routes too, and with another secret it is another", async () => {
    const site = fakeSite();
    const ports = fakePorts({ secretValues: { OLD, NEW } });
    const [one, two] = [
      linkHmac({}, {}, ports, site).policy,
      linkHmac({ maxBytes: 99 }, {}, ports, site).policy,
    ];
    expect(codeOf(await judge(one, github(BODY)))).toBe("passed");
    expect(codeOf(await judge(two, github(BODY)))).toBe("signature-replayed");
    const third = linkHmac({ keys: [{ ...step.keys[0]!, secret: "OLD" }] }, {}, ports, site).policy;
    expect(codeOf(await judge(third, github(BODY, OLD)))).toBe("passed");
  });

  it("passes where it may", async () => {
    const { policy } = linkHmac({ refusesReplays: false });
    for (const _ of [1, 2]) expect(codeOf(await judge(policy, github(BODY)))).toBe("passed");
  });

  it("is not known by one that was refused: a wrong one takes no room", async () => {
    const { policy } = linkHmac({});
    expect(codeOf(await judge(policy, posted("other", headersOf(github(BODY)))))).toBe("signature-invalid");
    expect(codeOf(await judge(policy, github(BODY)))).toBe("passed");
  });
});

const headersOf = (exchange: ReturnType<typeof posted>): Record<string, string> =>
  Object.fromEntries([...exchange.request.headers].filter(([name]) => name.startsWith("x-hub")));

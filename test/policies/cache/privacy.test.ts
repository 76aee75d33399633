import fc from "fast-check";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { Exchange } from "../../../src/core/exchange.ts";
import { applyHeaderEdits } from "../../../src/core/header-edits.ts";
import { filter, type Step } from "../../../src/policies/cache/filter.ts";
import { MemoryStore } from "../../support/memory-store.ts";
import { FakeClock, fakeExchange, fakePorts, fakeSite } from "../../support/ports.ts";
import { FakePurges } from "../../support/purges.ts";
import { DEFAULT_STEP, FakeEdge } from "./harness.ts";

// S19 as a law: nothing that is private, must not be stored, sets a cookie or belongs to a caller whom the gateway knows reaches
// anybody else, whatever the policy says and whatever the origin answers. Each run is a policy, an origin with two ways to
// answer, and requests of several callers through two isolates, at once and one after the other. The origin stamps each
// answer, and remembers for whom and on what terms it was.

const RUNS = 100_000;

/** Choices out of one number, so that a run is a few numbers, which fast-check can shrink. */
class Dice {
  #rest: number;
  constructor(seed: number) {
    this.#rest = seed;
  }
  one<T>(...of: readonly T[]): T {
    const at = this.#rest % of.length;
    this.#rest = Math.floor(this.#rest / of.length);
    return of[at]!;
  }
}

const CALLERS = {
  alice: { kind: "jwt", id: "alice", claims: { role: "admin" } },
  "alice of the keys": { kind: "apiKey", id: "alice", claims: { role: "admin" } },
  bob: { kind: "jwt", id: "bob", claims: { role: "admin" } },
  guest: { kind: "anonymous", id: "" },
  nobody: undefined,
} as const;
type Caller = keyof typeof CALLERS;

const isKnown = (who: Caller): boolean => who !== "guest" && who !== "nobody";

const policyOf = (seed: number): Step => {
  const dice = new Dice(seed);
  const ttlMs = dice.one(60_000, null);
  return {
    ...DEFAULT_STEP,
    perCaller: dice.one(true, true, false),
    tiers: dice.one<Step["tiers"]>(["isolate"], ["edge"], ["redis"], ["edge", "isolate", "redis"]),
    ttlMs,
    override: dice.one(false, true) && ttlMs !== null,
    staleWhileRevalidateMs: dice.one(null, 60_000),
    staleIfErrorMs: dice.one(null, 60_000),
    clientDirectives: dice.one(false, true),
    coalesce: dice.one(true, true, true, false),
    headers: dice.one<readonly string[]>([], [], ["x-part"]),
    claims: dice.one<readonly string[]>([], [], ["role"]),
    tags: dice.one<Step["tags"]>([], [["all"]]),
    jitter: dice.one(0, 0.5),
  };
};

/** How an origin answers. */
interface Recipe {
  readonly status: number;
  readonly control: string | undefined;
  readonly targeted: string | undefined;
  readonly cookie: boolean;
  readonly vary: string | undefined;
  readonly lengthKnown: boolean;
  readonly confirms: boolean;
}

const recipeOf = (seed: number): Recipe => {
  const dice = new Dice(seed);
  const lifetime = dice.one("max-age=60", "public, max-age=60", "s-maxage=60", "max-age=0", undefined);
  const terms = dice.one(
    ...[undefined, undefined, undefined, "private", "Private, public", "no-store", "no-cache"],
    ...['private="x-stamp"', 'no-cache="x-stamp"', "must-revalidate", "stale-while-revalidate=60"],
    ...["no-store, must-understand", "stale-if-error=60"],
  );
  const control = [terms, lifetime].filter((part) => part !== undefined).join(", ");
  return {
    control: control === "" ? undefined : control,
    targeted: dice.one(
      ...[undefined, undefined, undefined, undefined, "max-age=60", "private, max-age=60", "no-store"],
      "max-age=60, &&&",
    ),
    cookie: dice.one(false, false, false, false, true),
    vary: dice.one(undefined, undefined, undefined, "x-part", "authorization", "*"),
    status: dice.one(200, 200, 200, 200, 404, 500),
    lengthKnown: dice.one(true, false),
    confirms: dice.one(true, false),
  };
};

interface Asked {
  readonly who: Caller;
  readonly isolate: 0 | 1;
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly part: string | undefined;
  readonly wish: string | undefined;
  readonly recipe: 0 | 1;
  /** Comes together with the one before it. */
  readonly atOnce: boolean;
  readonly waitsMs: number;
}

const askedOf = (seed: number): Asked => {
  const dice = new Dice(seed);
  return {
    who: dice.one<Caller>("nobody", "alice", "bob", "nobody", "guest", "alice of the keys"),
    atOnce: dice.one(true, true, false),
    recipe: dice.one(0, 0, 1),
    waitsMs: dice.one(0, 30_000, 61_000),
    isolate: dice.one(0, 0, 1),
    authorization: dice.one(undefined, undefined, undefined, "Basic YQ==", "Basic Yg=="),
    part: dice.one("1", "1", "2"),
    method: dice.one("GET", "GET", "GET", "GET", "GET", "HEAD", "POST"),
    path: dice.one("/a", "/a", "/a", "/a", "/b"),
    wish: dice.one(undefined, undefined, undefined, "max-stale", "no-cache"),
  };
};

/** For whom the origin made something, and on what terms. */
interface Made {
  readonly request: Request;
  readonly asked: Asked;
  readonly control: string | undefined;
  readonly targeted: string | undefined;
  readonly vary: string | undefined;
  readonly status: number;
  readonly cookie: boolean;
}

/** The terms that hold: those of CDN-Cache-Control where it is good, else of Cache-Control (RFC 9213 section 2.2). */
const termsOf = ({ control, targeted }: Made): readonly string[] =>
  (targeted === undefined || targeted.includes("&") ? (control ?? "") : targeted).toLowerCase().split(", ");

/** Whether what was made for one may be used for another request of the same caller, or of all who have no entries of their own. */
const mayBeKept = (made: Made): boolean => {
  const terms = termsOf(made);
  return (!terms.includes("no-store") || terms.includes("must-understand")) && made.vary !== "*";
};

const mayBeShared = (made: Made): boolean => {
  const terms = termsOf(made);
  const opens = ["public", "s-maxage=60", "must-revalidate"].some((term) => terms.includes(term));
  return !terms.includes("private") && !made.cookie && (made.asked.authorization === undefined || opens);
};

/** An exchange that ends: its deferred work, and what that defers in turn. */
const ended = async (deferred: readonly Promise<unknown>[]): Promise<void> => {
  for (let at = 0; at < deferred.length; at++) await deferred[at];
};

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** One run: two isolates of one gateway in one data centre, with one Redis. */
class World {
  readonly #policy: Step;
  readonly #recipes: readonly [Recipe, Recipe];
  readonly #made: Made[] = [];
  readonly #askedBy = new Map<Request, Asked>();
  readonly #handlers;
  stored = 0;
  shared = 0;
  collapsed = 0;

  constructor(policy: Step, recipes: readonly [Recipe, Recipe]) {
    this.#policy = policy;
    this.#recipes = recipes;
    clock.ms = 0;
    const common = {
      clock,
      edgeCache: new FakeEdge(),
      store: new MemoryStore(clock),
      purges: new FakePurges(),
    };
    this.#handlers = [0, 1].map(() =>
      filter(policy, fakePorts(common as object), fakeSite())!((exchange) => this.#answer(exchange)),
    );
  }

  async play(requests: readonly Asked[]): Promise<void> {
    let together: Asked[] = [];
    for (const asked of [...requests, undefined]) {
      if (asked?.atOnce !== true && together.length > 0) {
        clock.advance(together[0]!.waitsMs);
        await Promise.all(together.map((one) => this.#ask(one)));
        together = [];
      }
      if (asked !== undefined) together.push(asked);
    }
  }

  async #ask(asked: Asked): Promise<void> {
    const { who, method, path, authorization, part, wish } = asked;
    const headers = new Headers();
    if (authorization !== undefined) headers.set("authorization", authorization);
    if (part !== undefined) headers.set("x-part", part);
    if (wish !== undefined) headers.set("cache-control", wish);
    // What the filter reads of a request; to make a Request takes longer than all of the rest.
    const request = {
      method,
      url: `https://api.example.com${path}`,
      headers,
      body: null,
    } as unknown as Request;
    this.#askedBy.set(request, asked);
    const exchange = fakeExchange(request, { identity: CALLERS[who] });
    const response = await this.#handlers[asked.isolate]!(exchange);
    const text = await response.text();
    const seen = new Headers(response.headers);
    applyHeaderEdits(seen, exchange.answerEdits);
    await ended(exchange.deferred);
    if (/stored/.test(seen.get("cache-status") ?? "")) this.stored++;
    if (exchange.cacheResult === "collapsed") this.collapsed++;
    if (response.status === 504 || response.status === 503) return;
    this.#check(request, asked, text, "body");
    this.#check(request, asked, seen.get("x-stamp") ?? "", "x-stamp");
    this.#check(request, asked, seen.get("set-cookie") ?? "", "set-cookie");
  }

  /** Whether a stamp may be seen by a request. */
  #check(request: Request, asked: Asked, stamp: string, where: "body" | "x-stamp" | "set-cookie"): void {
    const number = /^stamp (\d+)$/.exec(stamp)?.[1];
    if (number === undefined) return;
    const made = this.#made[Number(number)]!;
    if (made.request === request) return;
    const { who } = made.asked;
    const isOwn = this.#policy.perCaller && who === asked.who && isKnown(who);
    const says = `${where} of ${JSON.stringify(made, ["control", "targeted", "vary", "status", "cookie", "asked", "who", "authorization", "method"])} came to ${JSON.stringify(asked)}`;
    const terms = termsOf(made);
    if (!mayBeKept(made)) throw new Error(`not to be kept: ${says}`);
    if (!isOwn && !mayBeShared(made)) throw new Error(`not to be shared: ${says}`);
    if (this.#policy.perCaller && !isOwn && (isKnown(who) || isKnown(asked.who)))
      throw new Error(`a caller's own: ${says}`);
    if (where === "set-cookie" && !isOwn) throw new Error(`a cookie: ${says}`);
    if (
      where === "x-stamp" &&
      (terms.includes('no-cache="x-stamp"') || (!isOwn && terms.includes('private="x-stamp"')))
    )
      throw new Error(`withheld: ${says}`);
    if (made.vary === "x-part" && made.asked.part !== asked.part) throw new Error(`another variant: ${says}`);
    if (made.vary === "authorization" && made.asked.authorization !== asked.authorization)
      throw new Error(`another variant: ${says}`);
    if (made.asked.path !== asked.path) throw new Error(`another resource: ${says}`);
    if (where === "body" && who !== asked.who) this.shared++;
  }

  async #answer(exchange: Exchange): Promise<Response> {
    const { request } = exchange;
    const asked = this.#askedBy.get(request)!;
    const sent = new Headers(request.headers);
    applyHeaderEdits(sent, exchange.requestEdits);
    // So that those who ask at the same time have asked before anybody is answered.
    await tick();
    const recipe = this.#recipes[asked.recipe];
    const tag = /^"(\d+)"$/.exec(sent.get("if-none-match") ?? "")?.[1];
    const base = tag !== undefined && recipe.confirms ? this.#made[Number(tag)] : undefined;
    // A 304 leaves a field that it does not have as it is, so it has all that is changed by any.
    const { control = base && "max-age=60", cookie } = recipe;
    const { targeted, vary } = base ?? recipe;
    const status = base === undefined ? recipe.status : 304;
    const number = this.#made.push({ request, asked, control, targeted, vary, status, cookie }) - 1;
    const headers = new Headers({ "x-stamp": `stamp ${number}`, etag: base ? `"${tag}"` : `"${number}"` });
    if (control !== undefined) headers.set("cache-control", control);
    if (targeted !== undefined) headers.set("cdn-cache-control", targeted);
    if (vary !== undefined) headers.set("vary", vary);
    if (cookie) headers.set("set-cookie", `stamp ${number}`);
    // Such an answer to a POST is what a GET would bring, and is kept for that.
    if (asked.method === "POST") headers.set("content-location", asked.path);
    const body = `stamp ${number}`;
    if (recipe.lengthKnown && status !== 304) headers.set("content-length", String(body.length));
    return new Response(status === 304 || asked.method === "HEAD" ? null : body, { status, headers });
  }
}

const clock = new FakeClock();

// Who waits for another's answer sets a timer of five seconds, which never has to ring here; the pauses of those who wait for
// another isolate pass at once.
beforeAll(() => {
  const ring = (work: () => void, ms: number): unknown => {
    if (ms > 1000) return 0;
    clock.advance(ms);
    return setImmediate(work);
  };
  vi.stubGlobal("setTimeout", ring);
  vi.stubGlobal("clearTimeout", () => undefined);
});
afterAll(() => void vi.unstubAllGlobals());

const number = fc.nat(2 ** 30);

it(`in ${RUNS} random histories nothing that is one caller's reaches another`, async () => {
  const runs = { stored: 0, shared: 0, collapsed: 0 };
  await fc.assert(
    fc.asyncProperty(
      number,
      number,
      number,
      fc.array(number, { minLength: 4, maxLength: 7, size: "max" }),
      async (policy, often, seldom, requests) => {
        const world = new World(policyOf(policy), [recipeOf(often), recipeOf(seldom)]);
        await world.play(requests.map(askedOf));
        for (const what of ["stored", "shared", "collapsed"] as const) if (world[what] > 0) runs[what]++;
      },
    ),
    { numRuns: RUNS },
  );
  const share = (count: number): string => `${((100 * count) / RUNS).toFixed(1)}%`;
  process.stdout.write(
    `of ${RUNS} histories, something was stored in ${share(runs.stored)}, used for another caller in ${share(runs.shared)}, waited for in ${share(runs.collapsed)}\n`,
  );
  // A cache that stores nothing would keep the law, too.
  expect(runs.stored).toBeGreaterThan(RUNS / 4);
  expect(runs.shared).toBeGreaterThan(RUNS / 20);
  expect(runs.collapsed).toBeGreaterThan(RUNS / 50);
}, 300_000);

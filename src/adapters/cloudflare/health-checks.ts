import { DurableObject } from "cloudflare:workers";
import type { HealthRounds, HealthStates } from "../../core/health.ts";
import type { Ports } from "../../core/ports.ts";
import { cloudflarePorts } from "./ports.ts";

/** Checks go on for so long after somebody last asked for them, or for three intervals, if that is longer. */
const IDLE_MS = 300_000;
const IDLE_INTERVALS = 3;
/** How exactly the object remembers when it was last asked: each time is a write. */
const ASKED_EVERY_MS = 60_000;

/**
 * The class of the Durable Objects that check the targets of upstreams: one object for each upstream, by its name. Its alarm
 * runs the rounds. It goes by today's plan, so that after a deployment the next round is over today's targets.
 */
export const healthChecks = (link: (upstream: string, ports: Ports) => HealthRounds | undefined) =>
  class HealthChecks extends DurableObject {
    readonly #ports = cloudflarePorts(this.env, undefined);
    #rounds: HealthRounds | undefined;

    /** Which targets are healthy, by name. Begins the checks where nobody had asked for long. */
    async read(upstream: string): Promise<Readonly<Record<string, boolean>>> {
      const { storage } = this.ctx;
      const nowMs = this.#ports.clock.now();
      const askedMs = (await storage.get<number>("askedMs")) ?? 0;
      if (nowMs - askedMs >= ASKED_EVERY_MS) await storage.put({ upstream, askedMs: nowMs });
      if ((await storage.getAlarm()) === null) await storage.setAlarm(nowMs);
      const states = (await storage.get<HealthStates>("states")) ?? {};
      return Object.fromEntries(Object.entries(states).map(([name, { isHealthy }]) => [name, isHealthy]));
    }

    /** Runs one round. The next one is set before: whatever becomes of this one, the checks go on. */
    override async alarm(): Promise<void> {
      const { storage } = this.ctx;
      const upstream = await storage.get<string>("upstream");
      const rounds = upstream === undefined ? undefined : (this.#rounds ??= link(upstream, this.#ports));
      // Today's plan does not check this upstream any more.
      if (rounds === undefined) return storage.deleteAll();
      const nowMs = this.#ports.clock.now();
      const askedMs = (await storage.get<number>("askedMs")) ?? 0;
      if (nowMs - askedMs >= Math.max(IDLE_MS, IDLE_INTERVALS * rounds.intervalMs)) return;
      await storage.setAlarm(nowMs + rounds.intervalMs);
      const before = (await storage.get<HealthStates>("states")) ?? {};
      const after = await rounds.run(before, this.ctx);
      if (JSON.stringify(after) !== JSON.stringify(before)) await storage.put({ states: after });
    }
  };

/** What we use of the Workers runtime beyond the web's own globals. */
declare module "cloudflare:workers" {
  export const env: Readonly<Record<string, unknown>>;

  /** What a Durable Object has of its own: a store that outlives it, with one alarm, and `waitUntil`. */
  interface DurableObjectState {
    waitUntil(work: Promise<unknown>): void;
    readonly storage: {
      get<T>(key: string): Promise<T | undefined>;
      put(entries: Readonly<Record<string, unknown>>): Promise<void>;
      deleteAll(): Promise<void>;
      /** Milliseconds since the epoch; null where no alarm is set, also while one runs that has set none. */
      getAlarm(): Promise<number | null>;
      setAlarm(atMs: number): Promise<void>;
    };
  }

  /** What a class of Durable Objects extends. Its public methods can be called through a binding. */
  export abstract class DurableObject {
    protected readonly ctx: DurableObjectState;
    protected readonly env: Readonly<Record<string, unknown>>;
    constructor(ctx: DurableObjectState, env: Readonly<Record<string, unknown>>);
    alarm?(): Promise<void>;
  }
}

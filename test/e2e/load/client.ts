/** What one request came to. */
export interface Result {
  /** When it was sent, in milliseconds since the epoch. */
  readonly atMs: number;
  /** 0 where there was no answer at all. */
  readonly status: number;
  /** The name of the origin that answered. */
  readonly body: string;
}

const PAUSE_MS = 15;

/** Clients in a process of their own: each sends GETs in turn, with a pause between, until the time is over. */
const main = async (): Promise<void> => {
  const [url = "", clients = "", durationMs = ""] = process.argv.slice(2);
  const endMs = Date.now() + Number(durationMs);
  const results: Result[] = [];
  const ask = async (): Promise<void> => {
    while (Date.now() < endMs) {
      const atMs = Date.now();
      const [status, body] = await fetch(url).then(
        async (response) => [response.status, await response.text()] as const,
        (error: unknown) => [0, String(error)] as const,
      );
      results.push({ atMs, status, body });
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };
  await Promise.all(Array.from({ length: Number(clients) }, ask));
  process.send!(results, () => process.disconnect());
};

await main();

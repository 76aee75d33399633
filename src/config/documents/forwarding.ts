import { z } from "zod";
import type { HeaderEdit } from "../../core/header-edits.ts";
import { explain, named, percent } from "../../policies/shapes.ts";
import { laneHeaders } from "./lane-headers.ts";
import { timeout } from "./shapes.ts";
import { sticky } from "./sticky.ts";

/** How requests go to upstreams, whichever these are: what apis and routes have in common. */

const percentage = (of: string) => percent().describe(of);

const laneShare = () => percentage("Part of the requests; 0% keeps a lane for later.");

const lane = z.union([
  laneShare().transform((share) => ({ share, headers: [] as readonly HeaderEdit[] })),
  z.strictObject({
    share: laneShare(),
    headers: laneHeaders()
      .prefault({})
      .describe("Edits to the header fields of this lane's requests alone, after those of every policy."),
  }),
]);

const split = z
  .strictObject({
    lanes: named(lane)
      .refine(
        (lanes) => Object.keys(lanes).length > 1,
        explain(
          "A split has two lanes or more.",
          "Name the upstreams with their shares: { orders: 95%, orders-next: 5% }.",
        ),
      )
      .describe(
        "Upstreams, each a version of one service, with their shares; together 100%. In place of a share, a map with `share` and `headers`.",
      ),
    sticky: sticky().optional(),
  })
  .describe(
    "Deals requests out to versions of a service. Retries stay in the lane, and a cache keeps lanes apart.",
  );

const share = (of: string) =>
  percentage(of).refine((part) => part > 0, {
    error: explain("A share of nothing takes no request.", "Write more than 0%, or remove it."),
  });

const mirror = z
  .array(
    z.strictObject({
      upstream: z.string().describe("Name of the upstream that gets the copies."),
      share: share("Part of the requests that are copied; default all.").prefault("100%"),
    }),
  )
  .min(1)
  .superRefine((mirrors, context) => {
    for (const [index, { upstream }] of mirrors.entries()) {
      if (mirrors.findIndex((other) => other.upstream === upstream) === index) continue;
      context.addIssue({
        code: "custom",
        path: [index, "upstream"],
        message: explain(`"${upstream}" gets copies already.`, "Keep one of the two."),
        params: { code: "duplicate-mirror" },
      });
    }
  })
  .describe(
    "Sends copies of GET and HEAD requests to other upstreams, whose answers nobody waits for and whose failures count for nothing. Copied is what goes to an upstream, not what a cache answers, as every policy left it but for credentials: Authorization, Cookie and the like, and the fields where the route's identity policies look for theirs. Claims that are forwarded go along. Let the upstream have a circuitBreaker with `maxPending`, so that a slow one piles up no requests.",
  );

/** Keys of apis and routes; a route's replace its api's. */
export const forwarding = {
  upstream: z.string().optional().describe("Name of the upstream that answers."),
  split: split.optional(),
  mirror: mirror.optional(),
  timeout: timeout()
    .optional()
    .describe("Replaces the upstream's timeout, or those of the calls of an aggregate."),
  websocket: z
    .literal(true, {
      error: explain("`websocket` is only ever true.", "Write `websocket: true`, or leave the key out."),
    })
    .optional()
    .describe(
      "Lets clients open a WebSocket: every policy is applied to the request that opens it, `timeout` to its answer, and a `cors` policy refuses pages of other origins with 403. Messages then pass as they are, neither counted nor limited. Without it an Upgrade is ignored. gRPC is not offered.",
    ),
};

export type SplitDocument = z.output<typeof split>;
export type MirrorDocument = z.output<typeof mirror>;

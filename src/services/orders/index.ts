import { app } from "./app.ts";

/** The Worker; its bindings are those of wrangler.toml. */
export default { fetch: app.fetch };

/** What we use of the Workers runtime beyond the web's own globals. */
declare module "cloudflare:workers" {
  export const env: Readonly<Record<string, unknown>>;
}

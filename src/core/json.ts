/** What survives JSON.stringify and JSON.parse unchanged: all that a plan may hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

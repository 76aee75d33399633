import type { Exchange } from "./exchange.ts";
import type { HeaderEdit } from "./header-edits.ts";

/** Who is calling, as a credential proved it. */
export interface Identity {
  /** The policy type that proved it: `jwt`, `apiKey`, … or `anonymous`. */
  readonly kind: string;
  /** Unique across issuers: issuer and subject, or the consumer's name. Limits, caches and idempotency use it. */
  readonly id: string;
  readonly issuer?: string;
  readonly subject?: string;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly consumer?: {
    readonly name: string;
    readonly plan?: string;
    readonly attributes: Readonly<Record<string, unknown>>;
  };
}

/** What one identity policy says of a request. */
export type Verdict =
  /** No credential of this kind was presented. */
  | { readonly outcome: "absent" }
  | {
      readonly outcome: "passed";
      readonly identity: Identity;
      /** Edits to the request that goes to the upstream: forwarded claims, the consumed credential taken off. */
      readonly edits: readonly HeaderEdit[];
    }
  /** A credential was presented and is not good: 401, or 403 when it is good but not enough, or 503 when nobody can say. */
  | {
      readonly outcome: "refused";
      readonly status: 401 | 403 | 503;
      readonly code: string;
      readonly detail: string;
      /** The WWW-Authenticate challenge that goes with it (RFC 6750 section 3). */
      readonly challenge?: string;
      readonly retryAfterSeconds?: number;
    }
  /** Refused in words of its own, and by no fault of a credential: a body that is too large, the way to where one signs in. */
  | { readonly outcome: "answered"; readonly code: string; readonly response: Response };

/** An identity policy when linked. */
export interface Authenticator {
  readonly kind: string;
  /** The challenge for a caller without a credential; one a listed alternative goes into a 401. */
  readonly challenge: string;
  /** Edits that hold whatever the outcome: every field that the policy can set is deleted from the client's request. */
  readonly always: readonly HeaderEdit[];
  authenticate(exchange: Exchange): Verdict | Promise<Verdict>;
}

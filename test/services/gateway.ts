import type { Ports } from "../../src/core/ports.ts";
import type { CredentialPlan } from "../../src/core/upstream-plan.ts";
import type { RequestExchange } from "../../src/runtime/exchange.ts";
import { linkHeaderCredential } from "../../src/runtime/managed/header-credential.ts";
import { linkJwtCredential } from "../../src/runtime/managed/jwt-credential.ts";
import { linkSignatureCredential } from "../../src/runtime/managed/signature-credential.ts";
import type { CredentialFactory } from "../../src/runtime/parts.ts";

// The gateway as the services see it: its own code puts the credential on the requests of their tests.

/** Keys of the tests, as the services find them in their bindings. */
export const KEYS = {
  USERS_KEY: "a key of the users service, of the tests only",
  ORDERS_KEY: "a key of the orders service, of the tests only",
};

/** What the shop's policies say of the two services' credentials. */
export const USERS_CREDENTIAL: CredentialPlan = {
  kind: "jwt",
  secret: "USERS_KEY",
  algorithm: "HS256",
  header: "x-gateway-token",
  issuer: "shop",
  audience: "users",
  lifetimeSeconds: 60,
};
export const ORDERS_CREDENTIAL: CredentialPlan = {
  kind: "signature",
  secret: "ORDERS_KEY",
  algorithm: "hmac-sha256",
  headers: ["x-user-id"],
  lifetimeSeconds: 30,
};

const FACTORIES: Readonly<Record<CredentialPlan["kind"], CredentialFactory>> = {
  header: linkHeaderCredential,
  jwt: linkJwtCredential,
  signature: linkSignatureCredential,
};

/** How a request is proven, where that is not as it should be. */
export interface Proving {
  readonly plan?: Partial<CredentialPlan>;
  readonly key?: string;
  /** Id of the gateway's route. */
  readonly route?: string;
  /** Seconds by which the gateway's clock is ahead. */
  readonly ahead?: number;
}

/** Puts a credential onto requests, as the gateway does. */
export const gatewayWith = (credential: CredentialPlan) => {
  const [api] = credential.kind === "jwt" ? [credential.audience] : ["orders"];
  return async (
    request: Request,
    { plan, key, route = `${api}.-`, ahead = 0 }: Proving = {},
  ): Promise<Request> => {
    const ports = {
      clock: { now: () => Date.now() + ahead * 1000 },
      random: { uuid: () => crypto.randomUUID() },
      secrets: { get: (name: keyof typeof KEYS) => key ?? KEYS[name] },
    } as unknown as Ports;
    const put = FACTORIES[credential.kind]({ ...credential, ...plan } as CredentialPlan, api!, ports);
    const headers = new Headers(request.headers);
    const exchange = { route: { id: route, api }, identity: undefined } as RequestExchange;
    await put(exchange, headers, { method: request.method, url: request.url, body: request.body });
    return new Request(request, { headers });
  };
};

import type { CredentialPlan } from "../../../src/core/upstream-plan.ts";
import type { RequestExchange } from "../../../src/runtime/exchange.ts";
import type { Call, CredentialFactory } from "../../../src/runtime/parts.ts";
import { type FakePorts, fakeExchange, fakePorts } from "../../support/ports.ts";

/** A request as the gateway is about to send it. */
export interface Try {
  readonly method?: string;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Call["body"];
  readonly exchange?: Partial<RequestExchange>;
}

export interface LinkedCredential {
  readonly ports: FakePorts;
  /** Puts the credential on a request and answers its headers. */
  put(it?: Try): Promise<Headers>;
}

/** Links the credential of the upstream "orders" with the value of its secret. */
export const linkedCredential = (
  factory: CredentialFactory,
  plan: CredentialPlan,
  secret: string | undefined,
): LinkedCredential => {
  const ports = fakePorts({ secretValues: secret === undefined ? {} : { [plan.secret]: secret } });
  const credential = factory(plan, "orders", ports);
  return {
    ports,
    put: async ({
      method = "GET",
      url = "http://orders/orders",
      headers = {},
      body = null,
      exchange = {},
    } = {}) => {
      const outgoing = new Headers(headers);
      const request = new Request("https://api.example.com/orders");
      const it = fakeExchange(request, exchange) as unknown as RequestExchange;
      await credential(it, outgoing, { method, url, body });
      return outgoing;
    },
  };
};

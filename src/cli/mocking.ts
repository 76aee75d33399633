import { startMockService } from "../adapters/node/mock-service.ts";
import type { OperationInfo } from "../core/operation.ts";
import type { Plan } from "../core/plan.ts";
import { fitting } from "./mock-fitting.ts";
import { MOCK_BINDING, mockPlan } from "./mock-plan.ts";
import type { WorkspaceOptions } from "./options.ts";
import { planOf } from "./workspace.ts";

/** Something that stands in for all services while `serve --mock` runs. */
export interface Mocking {
  /** Where the gateway finds it. */
  readonly bindings: Readonly<Record<string, string>>;
  /** Reads the policies as `planOf` does, and answers the plan of the gateway in front of the mock. */
  planOf(options: WorkspaceOptions): Promise<Plan>;
  stop(): Promise<void>;
}

/** Starts it; what it answers is what the OpenAPI documents say that were read last. */
export const startMocking = async (): Promise<Mocking> => {
  const service = await startMockService(new Map(), fitting());
  return {
    bindings: { [MOCK_BINDING]: service.address },
    planOf: async (options) => {
      const operations = new Map<string, OperationInfo>();
      const plan = await planOf(options, {
        documents: () => undefined,
        route: ({ route, context }) => {
          if (context.route.operation !== undefined) operations.set(route.id, context.route.operation);
        },
      });
      service.operations = operations;
      return mockPlan(plan);
    },
    stop: () => service.stop(),
  };
};

import type { Diagnostic, Place } from "../core/diagnostic.ts";
import type { InstanceIr, Report } from "./ir.ts";

/** A route as a reader of diagnostics knows it. */
export interface RouteRef {
  readonly id: string;
  /** Undefined for the fallback that answers 404 and 405, which nobody wrote. */
  readonly place: Place | undefined;
}

interface Told {
  readonly diagnostic: Diagnostic;
  readonly instance: InstanceIr["tree"];
  readonly routes: RouteRef[];
}

/**
 * Collects what policies find at fault while they are compiled for one route after the other. A policy that many routes
 * inherit is told of once; where only some of them are concerned, the first of these is shown.
 */
export class RouteFaults {
  readonly #told = new Map<string, Told>();
  readonly #users = new Map<InstanceIr["tree"], Set<string>>();

  /** Takes down that a route is compiled with an instance. */
  use({ tree }: InstanceIr, { id, place }: RouteRef): void {
    if (place === undefined) return;
    const users = this.#users.get(tree) ?? new Set();
    users.add(id);
    this.#users.set(tree, users);
  }

  tell(diagnostic: Diagnostic, { tree }: InstanceIr, route: RouteRef): void {
    const { file, line, column } = diagnostic.place;
    const message = diagnostic.message.replaceAll(route.id, "*");
    const key = [file, line, column, diagnostic.code, message].join("\0");
    const told = this.#told.get(key) ?? { diagnostic, instance: tree, routes: [] };
    if (route.place !== undefined && !told.routes.some(({ id }) => id === route.id)) told.routes.push(route);
    this.#told.set(key, told);
  }

  /** Hands everything on. */
  flush(report: Report): void {
    for (const { diagnostic, instance, routes } of this.#told.values()) {
      const [first] = routes;
      const concernsAll = routes.length === (this.#users.get(instance)?.size ?? 0);
      if (first?.place === undefined || concernsAll || diagnostic.related !== undefined) report(diagnostic);
      else
        report({
          ...diagnostic,
          related: [{ message: `The route "${first.id}" stands here.`, place: first.place }],
        });
    }
  }
}

import { type Costs, median } from "./measure.ts";
import type { Scenario } from "./scenarios.ts";

/** A figure beside the costs of requests. */
export interface Fact {
  readonly title: string;
  readonly value: number;
  readonly unit: string;
  /** The most that it should be. */
  readonly aim?: number;
}

/** One row a scenario: what a request costs, and what of it the comparison with its reference says. */
export const costTable = (scenarios: readonly Scenario[], costs: Costs): string => {
  const rows = scenarios.map((scenario) => {
    const own = costs.get(scenario.name)!;
    const spread = `${Math.min(...own).toFixed(0)}–${Math.max(...own).toFixed(0)}`;
    return [scenario.title, median(own).toFixed(1), spread, ...comparison(scenario, costs)];
  });
  return table(["", "CPU µs", "range", "ratio", "more", "to", "aim", ""], rows);
};

/** Rounds are compared one by one: what disturbed a round disturbed both. */
const comparison = ({ name, reference, aim = {} }: Scenario, costs: Costs): string[] => {
  if (reference === undefined) return ["", "", "", "", ""];
  const others = costs.get(reference)!;
  const own = costs.get(name)!;
  const ratio = median(own.map((cost, round) => cost / others[round]!));
  const more = median(own.map((cost, round) => cost - others[round]!));
  const aims = [
    ...(aim.ratio === undefined ? [] : [`≤ ${aim.ratio}`]),
    ...(aim.more === undefined ? [] : [`≤ ${aim.more} µs more`]),
  ];
  const met = ratio <= (aim.ratio ?? Infinity) && more <= (aim.more ?? Infinity);
  return [
    ratio.toFixed(3),
    `${more >= 0 ? "+" : ""}${more.toFixed(1)}`,
    reference,
    aims.join(", "),
    aims.length === 0 ? "" : met ? "met" : "MISSED",
  ];
};

/** Figures that stand for themselves. */
export const factTable = (facts: readonly Fact[]): string =>
  table(
    ["", "", "aim", ""],
    facts.map(({ title, value, unit, aim }) => [
      title,
      `${value.toFixed(1)} ${unit}`,
      aim === undefined ? "" : `≤ ${aim} ${unit}`,
      aim === undefined ? "" : value <= aim ? "met" : "MISSED",
    ]),
  );

/** Columns side by side; those that hold numbers are set to the right. */
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length)),
  );
  const isNumeric = head.map((_, column) =>
    rows.every((row) => /^[+-]?[\d.]*(?:–\d+)?(?: \w+)?$/.test(row[column]!)),
  );
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, column) =>
          isNumeric[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n")
    .concat("\n");
};

import type { Metrics } from "../../core/ports.ts";

/** A metric: its name, what it tells, and its labels in the order in which callers give their values. */
export interface MetricDeclaration {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly labels: readonly string[];
  /** Upper bounds of a histogram's buckets, ascending, without +Inf. */
  readonly buckets?: readonly number[];
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Everything that the gateway counts. The values of labels are bounded by the plan: names of routes, never paths. */
export const METRICS: readonly MetricDeclaration[] = [
  {
    name: "postern_requests_total",
    help: "Requests answered.",
    type: "counter",
    labels: ["api", "route", "method", "status"],
  },
  {
    name: "postern_request_duration_seconds",
    help: "Time from the request to the header of the answer, upstreams included.",
    type: "histogram",
    labels: ["api", "route"],
    buckets: SECONDS,
  },
  {
    name: "postern_upstream_duration_seconds",
    help: "Time that one try waited for the header of an upstream's answer.",
    type: "histogram",
    labels: ["upstream", "target"],
    buckets: SECONDS,
  },
  {
    name: "postern_cache_total",
    help: "Look-ups in the cache.",
    type: "counter",
    labels: ["result", "tier"],
  },
  {
    name: "postern_rate_limited_total",
    help: "Requests over a rate limit; those of a dry run were served.",
    type: "counter",
    labels: ["api", "route", "limit", "mode"],
  },
  {
    name: "postern_auth_failures_total",
    help: "Requests whose credentials were refused.",
    type: "counter",
    labels: ["code"],
  },
  {
    name: "postern_validations_total",
    help: "Requests and answers that do not fit their OpenAPI operation (refused or reported), and answers that were not judged.",
    type: "counter",
    labels: ["outcome", "route"],
  },
  { name: "postern_retries_total", help: "Tries after the first.", type: "counter", labels: ["upstream"] },
  {
    name: "postern_target_healthy",
    help: "1 while a target is picked, 0 while it is not.",
    type: "gauge",
    labels: ["upstream", "target"],
  },
  {
    name: "postern_metrics_dropped_total",
    help: "Samples that no declared metric or series could take.",
    type: "counter",
    labels: ["metric"],
  },
];

/** The media type of the exposition. */
export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** One series: a counter's or gauge's value is `sum`; a histogram has counts too, one for each bucket and one beyond the last. */
interface Series {
  readonly labels: readonly string[];
  sum: number;
  readonly counts: number[] | undefined;
}

/** Series by the value of one label after the other: no key is built to find one. */
type Level = Map<string, Level | Series>;

interface Family {
  readonly declaration: MetricDeclaration;
  readonly root: Level;
  readonly series: Series[];
}

/**
 * Metrics of this isolate, for Prometheus to read. A metric holds so many series and no more: what comes later is added to
 * one whose labels all say `other`, so that totals stay right. A sample for a metric that was not declared so is counted as
 * dropped: a metric never fails a request.
 */
export class MemoryMetrics implements Metrics {
  readonly #families = new Map<string, Family>();
  readonly #maxSeries: number;

  constructor(
    options: { readonly declarations?: readonly MetricDeclaration[]; readonly maxSeries?: number } = {},
  ) {
    this.#maxSeries = options.maxSeries ?? 2000;
    for (const declaration of options.declarations ?? METRICS) {
      this.#families.set(declaration.name, { declaration, root: new Map(), series: [] });
    }
  }

  count(name: string, labels: readonly string[], by = 1): void {
    const series = this.#series(name, "counter", labels);
    if (series !== undefined) series.sum += by;
  }

  observe(name: string, labels: readonly string[], seconds: number): void {
    const series = this.#series(name, "histogram", labels);
    if (series === undefined) return;
    const { buckets = [] } = this.#families.get(name)!.declaration;
    let at = 0;
    while (at < buckets.length && seconds > buckets[at]!) at++;
    series.counts![at]!++;
    series.sum += seconds;
  }

  gauge(name: string, labels: readonly string[], value: number): void {
    const series = this.#series(name, "gauge", labels);
    if (series !== undefined) series.sum = value;
  }

  /** Every series in Prometheus' text format 0.0.4, metrics in the order of their declaration. */
  exposition(): string {
    let text = "";
    for (const { declaration, series } of this.#families.values()) {
      if (series.length === 0) continue;
      const { name, help, type } = declaration;
      text += `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n# TYPE ${name} ${type}\n`;
      for (const one of series)
        text +=
          one.counts === undefined
            ? line(name, labelText(declaration, one), one.sum)
            : histogram(declaration, one);
    }
    return text;
  }

  #series(name: string, type: MetricDeclaration["type"], labels: readonly string[]): Series | undefined {
    const family = this.#families.get(name);
    if (
      family === undefined ||
      family.declaration.type !== type ||
      family.declaration.labels.length !== labels.length
    ) {
      if (name !== "postern_metrics_dropped_total")
        this.count("postern_metrics_dropped_total", [family === undefined ? "unknown" : name]);
      return undefined;
    }
    if (labels.length === 0) return family.series[0] ?? newSeries(family, labels);
    let level = family.root;
    const last = labels.length - 1;
    for (let at = 0; at < last; at++) {
      const next = level.get(labels[at]!) as Level | undefined;
      if (next === undefined) return this.#add(family, labels);
      level = next;
    }
    return (level.get(labels[last]!) as Series | undefined) ?? this.#add(family, labels);
  }

  #add(family: Family, labels: readonly string[]): Series {
    const full = family.series.length >= this.#maxSeries;
    const values = full ? labels.map(() => "other") : [...labels];
    let level = family.root;
    for (const value of values.slice(0, -1)) {
      const next = (level.get(value) as Level | undefined) ?? new Map();
      level.set(value, next);
      level = next;
    }
    const last = values[values.length - 1]!;
    const series = (level.get(last) as Series | undefined) ?? newSeries(family, values);
    level.set(last, series);
    return series;
  }
}

const newSeries = (family: Family, labels: readonly string[]): Series => {
  const { type, buckets = [] } = family.declaration;
  const counts = type === "histogram" ? new Array<number>(buckets.length + 1).fill(0) : undefined;
  const series: Series = { labels, sum: 0, counts };
  family.series.push(series);
  return series;
};

const histogram = (declaration: MetricDeclaration, series: Series): string => {
  const { name, buckets = [] } = declaration;
  const labels = labelText(declaration, series);
  let text = "";
  let total = 0;
  for (const [at, count] of series.counts!.entries()) {
    total += count;
    const bound = `le="${at < buckets.length ? buckets[at] : "+Inf"}"`;
    text += line(name + "_bucket", labels === "" ? bound : `${labels},${bound}`, total);
  }
  return text + line(name + "_sum", labels, series.sum) + line(name + "_count", labels, total);
};

const labelText = ({ labels }: MetricDeclaration, series: Series): string =>
  labels.map((label, at) => `${label}="${escapeLabel(series.labels[at]!)}"`).join(",");

const escapeLabel = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

const line = (name: string, labels: string, value: number): string =>
  `${labels === "" ? name : `${name}{${labels}}`} ${Number.isFinite(value) ? value : Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf"}\n`;

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { METRICS, MemoryMetrics, type MetricDeclaration } from "../../src/adapters/memory/metrics.ts";

const COUNTER: MetricDeclaration = { name: "t_total", help: "Things.", type: "counter", labels: ["a", "b"] };
const HISTOGRAM: MetricDeclaration = {
  name: "t_seconds",
  help: "Time.",
  type: "histogram",
  labels: ["a"],
  buckets: [0.1, 1],
};
const GAUGE: MetricDeclaration = { name: "t_up", help: "Up.", type: "gauge", labels: [] };
const DROPPED = METRICS.find(({ name }) => name === "postern_metrics_dropped_total")!;

const metricsOf = (maxSeries?: number) =>
  new MemoryMetrics({
    declarations: [COUNTER, HISTOGRAM, GAUGE, DROPPED],
    ...(maxSeries === undefined ? {} : { maxSeries }),
  });

describe("the exposition", () => {
  it("is empty before anything was counted", () => {
    expect(metricsOf().exposition()).toBe("");
  });

  it("has help, type and one line a series", () => {
    const metrics = metricsOf();
    metrics.count("t_total", ["x", "y"]);
    metrics.count("t_total", ["x", "y"], 2);
    metrics.count("t_total", ["x", "z"]);
    metrics.gauge("t_up", [], 1);
    metrics.gauge("t_up", [], 0);
    expect(metrics.exposition()).toBe(
      [
        "# HELP t_total Things.",
        "# TYPE t_total counter",
        't_total{a="x",b="y"} 3',
        't_total{a="x",b="z"} 1',
        "# HELP t_up Up.",
        "# TYPE t_up gauge",
        "t_up 0",
        "",
      ].join("\n"),
    );
  });

  it("has cumulative buckets, sum and count for a histogram; a bound belongs to its bucket", () => {
    const metrics = metricsOf();
    for (const seconds of [0.05, 0.1, 0.5, 7]) metrics.observe("t_seconds", ["x"], seconds);
    expect(metrics.exposition()).toBe(
      [
        "# HELP t_seconds Time.",
        "# TYPE t_seconds histogram",
        't_seconds_bucket{a="x",le="0.1"} 2',
        't_seconds_bucket{a="x",le="1"} 3',
        't_seconds_bucket{a="x",le="+Inf"} 4',
        't_seconds_sum{a="x"} 7.65',
        't_seconds_count{a="x"} 4',
        "",
      ].join("\n"),
    );
  });

  it.each([
    ["a quote", 'a"b', 'a\\"b'],
    ["a backslash", "a\\b", "a\\\\b"],
    ["a line feed", 'a\nt_total{a="forged"} 1', 'a\\nt_total{a=\\"forged\\"} 1'],
  ])("escapes %s in a label", (_, value, escaped) => {
    const metrics = metricsOf();
    metrics.count("t_total", [value, "y"]);
    expect(metrics.exposition()).toContain(`t_total{a="${escaped}",b="y"} 1\n`);
    expect(metrics.exposition().split("\n")).toHaveLength(4);
  });

  it("escapes line feeds and backslashes in help, and knows values that are no numbers", () => {
    const metrics = new MemoryMetrics({ declarations: [{ ...GAUGE, help: "a\\b\nc", labels: ["x"] }] });
    for (const value of [Infinity, -Infinity, Number.NaN]) metrics.gauge("t_up", [String(value)], value);
    expect(metrics.exposition()).toBe(
      '# HELP t_up a\\\\b\\nc\n# TYPE t_up gauge\nt_up{x="Infinity"} +Inf\nt_up{x="-Infinity"} -Inf\nt_up{x="NaN"} NaN\n',
    );
  });

  it("keeps series apart whose labels only joined are equal", () => {
    const metrics = metricsOf();
    metrics.count("t_total", ["x,y", "z"]);
    metrics.count("t_total", ["x", "y,z"]);
    metrics.count("t_total", ["", "x,y,z"]);
    expect(metrics.exposition().match(/ 1\n/g)).toHaveLength(3);
  });
});

describe("bounds", () => {
  it("a metric holds so many series; the rest is one series more, and the total stays right", () => {
    const metrics = metricsOf(3);
    for (let index = 0; index < 10; index++) metrics.count("t_total", [`route ${index % 5}`, "y"]);
    metrics.count("t_total", ["route 0", "new"]);
    const lines = metrics
      .exposition()
      .split("\n")
      .filter((line) => line.startsWith("t_total"));
    expect(lines).toEqual([
      't_total{a="route 0",b="y"} 2',
      't_total{a="route 1",b="y"} 2',
      't_total{a="route 2",b="y"} 2',
      't_total{a="other",b="other"} 5',
    ]);
  });

  it.each([
    [
      "a name that was not declared",
      "unknown",
      (metrics: MemoryMetrics) => metrics.count("no_such_total", ["x"]),
    ],
    ["another number of labels", "t_total", (metrics: MemoryMetrics) => metrics.count("t_total", ["x"])],
    ["another type", "t_total", (metrics: MemoryMetrics) => metrics.observe("t_total", ["x", "y"], 1)],
  ])("counts as dropped a sample with %s, and does not fail", (_, metric, give) => {
    const metrics = metricsOf();
    give(metrics);
    metrics.count("t_total", ["x", "y"]);
    expect(metrics.exposition()).toContain(`postern_metrics_dropped_total{metric="${metric}"} 1\n`);
    expect(metrics.exposition()).toContain('t_total{a="x",b="y"} 1\n');
  });

  it("does not fail where dropped samples are not declared either", () => {
    const metrics = new MemoryMetrics({ declarations: [] });
    metrics.count("anything", []);
    expect(metrics.exposition()).toBe("");
  });

  it("keeps its own copy of the labels", () => {
    const metrics = metricsOf();
    const labels = ["x", "y"];
    metrics.count("t_total", labels);
    labels[0] = "changed";
    expect(metrics.exposition()).toContain('a="x"');
  });
});

describe("what the gateway declares", () => {
  it("has every name once, as Prometheus wants it", () => {
    expect(new Set(METRICS.map(({ name }) => name)).size).toBe(METRICS.length);
    for (const { name, type, labels, help } of METRICS) {
      expect(name).toMatch(/^postern_[a-z_]+$/);
      expect(name.endsWith("_total")).toBe(type === "counter");
      expect(help).toMatch(/\.$/);
      for (const label of labels) expect(label).toMatch(/^[a-z]+$/);
    }
  });

  it("is all that is counted anywhere", () => {
    const source = path.resolve(import.meta.dirname, "../../src");
    const named = readdirSync(source, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .flatMap((file) => readFileSync(path.join(source, file), "utf8").match(/"postern_[a-z_]+"/g) ?? []);
    expect(new Set(named)).toEqual(new Set(METRICS.map(({ name }) => `"${name}"`)));
  });

  it("has ascending buckets", () => {
    for (const { buckets = [], type } of METRICS) {
      expect(buckets.length > 0).toBe(type === "histogram");
      expect([...buckets].sort((one, other) => one - other)).toEqual(buckets);
    }
  });

  it("can all be counted", () => {
    const metrics = new MemoryMetrics();
    for (const { name, type, labels } of METRICS) {
      const values = labels.map((label) => `a ${label}`);
      if (type === "counter") metrics.count(name, values);
      else if (type === "gauge") metrics.gauge(name, values, 1);
      else metrics.observe(name, values, 0.2);
    }
    for (const { name } of METRICS) expect(metrics.exposition()).toContain(`# TYPE ${name} `);
    expect(metrics.exposition()).toContain(
      'postern_requests_total{api="a api",route="a route",method="a method",status="a status"} 1\n',
    );
  });
});

import { describe, expect, it } from "vitest";
import { Flights } from "../../../src/policies/cache/flights.ts";
import { fakePorts } from "../../support/ports.ts";

const MARK = { seen: 0, asOf: 0 };
const noop = (): void => undefined;

describe("flights", () => {
  it("wakes all who wait, once, and is found no more", () => {
    const flights = new Flights(fakePorts().random);
    const ends: string[] = [];
    const flight = flights.begin("a", 0, MARK, () => void ends.push("end"));
    for (const name of ["one", "two"])
      flight.waiting.push((outcome) => void ends.push(`${name} ${String(outcome)}`));
    expect(flights.find("a", 0)).toBe(flight);
    flights.land(flight, 0, "failed");
    flights.land(flight, 0, "alone");
    expect(ends).toEqual(["one failed", "two failed", "end"]);
    expect([flights.find("a", 0), flights.isAlone("a", 0)]).toEqual([undefined, false]);
  });

  it("one that was replaced wakes its own, and leaves the other where it is", () => {
    const flights = new Flights(fakePorts().random);
    const lost = flights.begin("a", 0, MARK, noop);
    const next = flights.begin("a", 0, MARK, noop);
    flights.land(lost, 0, "failed");
    expect(flights.find("a", 0)).toBe(next);
  });

  it("keeps no more than so many, and makes room of what was lost", () => {
    const flights = new Flights(fakePorts().random);
    for (let index = 0; index < 5000; index++) flights.begin(`${index}`, 0, MARK, noop);
    expect([flights.find("4095", 0) !== undefined, flights.find("4096", 0)]).toEqual([true, undefined]);
    expect(flights.begin("12", 0, MARK, noop)).toBe(flights.find("12", 0));
    const later = flights.begin("later", 30_000, MARK, noop);
    expect(flights.find("later", 30_000)).toBe(later);
  });

  it("remembers no more than so many keys that serve nobody else, and the latest of them", () => {
    const flights = new Flights(fakePorts().random);
    for (let index = 0; index < 5000; index++) flights.land(flights.scout(`${index}`, 0, MARK), 0, "alone");
    let known = 0;
    for (let index = 0; index < 5000; index++) if (flights.isAlone(`${index}`, 0)) known++;
    expect(known).toBeLessThanOrEqual(4096);
    expect(known).toBeGreaterThan(4000);
    expect([flights.isAlone("0", 0), flights.isAlone("4999", 0), flights.isAlone("4999", 60_000)]).toEqual([
      false,
      true,
      false,
    ]);
  });
});

const UNITS_MS: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 0.001,
  µs: 0.001,
  ns: 0.000001,
};

/** Milliseconds of a duration as CEL writes it (`1h30m`, `-1.5h`, `250ms`); undefined for anything else. */
export const parseCelDuration = (text: string): number | undefined => {
  const found = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:h|ms|m|s|us|µs|ns))+)$/.exec(text);
  if (found === null) return undefined;
  let ms = 0;
  for (const [, amount, unit] of found[2]!.matchAll(/([\d.]+)([a-zµ]+)/g))
    ms += Number(amount) * UNITS_MS[unit!]!;
  return found[1] === "-" ? -ms : ms;
};

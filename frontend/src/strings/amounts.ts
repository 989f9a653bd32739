/** Formats of operations, energies and times in the page's language, without words of our own. */

import { count, decimal, inWords, language, scientific, small } from "./numbers";
import { percent } from "./shares";

/** Minimum fraction of a time that counts as a saving: smaller ones are within measurement noise. */
export const NOTICED = 0.05;

/** Return a number with at most three digits. */
export const short = (value: number) =>
  value >= 100 ? count(value) : decimal(+value.toPrecision(3));

/** Return a predicted or measured number: whole numbers in full, others with three digits. */
export function figure(value: number): string {
  return Number.isInteger(value) ? count(value) : short(value);
}

/** Return a number with its unit, if it has one, on one line. */
export const withUnit = (value: number, unit: string) => figure(value) + (unit && `\u00a0${unit}`);

/** Return a number close to zero. */
export function tiny(value: number): string {
  return value === 0 || value >= 0.001 ? small(value, 2) : scientific(value, 1);
}

/** Return a large number in words, or as a power of ten where there is no common word. */
export function large(value: number): string {
  if (value >= 1e15) return scientific(value, 2);
  return value >= 1e6 ? inWords(value, { maximumSignificantDigits: 3 }) : count(value);
}

/** Return a number of operations in short form: "156 million", "33 thousand". */
export function flops(value: number): string {
  return value >= 1e3 ? inWords(value, { maximumSignificantDigits: 3 }) : count(value);
}

/** Return a number with `digits` significant digits, as written by hand: 0.0000332, or 1.1 × 10⁻⁹. */
export function plain(value: number | null, digits = 4): string {
  if (value === null || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e7 || (size > 0 && size < 1e-5)) return scientific(value, digits);
  const decimals = size ? Math.max(0, digits - 1 - Math.floor(Math.log10(size))) : 0;
  return decimal(
    value
      .toFixed(Math.min(decimals, 12))
      .replace(/(\.\d*?)0+$/, "$1")
      .replace(/\.$/, ""),
  );
}

/** Return a probability as people read it, with more digits the smaller it is. */
export function chance(p: number | null): string {
  if (p === null) return "?";
  return p >= 0.1 || p === 0 ? percent(p) : `${plain(100 * p, 2)}\u00a0%`;
}

const ENERGY_UNITS: [number, string][] = [
  [3.6e18, "PWh"],
  [3.6e15, "TWh"],
  [3.6e12, "GWh"],
  [3.6e9, "MWh"],
  [3.6e6, "kWh"],
  [1e3, "kJ"],
  [1, "J"],
];

/** Return an energy: in joules, and from one kilowatt hour in the unit of the electricity bill. */
export function energyText(joules: number): string {
  const unit = ENERGY_UNITS.find(([size]) => joules >= size);
  if (!unit) return `${small(joules, 2)} J`;
  return joules >= 3.6e21
    ? `${large(joules / 3.6e18)} PWh`
    : `${short(joules / unit[0])} ${unit[1]}`;
}

const YEAR = 31_557_600;
const SPANS: [number, string][] = [
  [YEAR, "year"],
  [86_400, "day"],
  [3_600, "hour"],
  [60, "minute"],
  [1, "second"],
];

/** Return a time span in its largest unit. */
export function spanText(seconds: number): string {
  const [size, unit] = SPANS.find(([least]) => seconds >= least) ?? SPANS.at(-1)!;
  const amount = seconds / size;
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit,
    unitDisplay: "long",
    maximumSignificantDigits: 3,
    ...(amount >= 1e6 && { notation: "compact", compactDisplay: "long" }),
  }).format(amount);
}

/** Fraction of games from which luck is an explanation. */
export const USUAL = 0.05;

/** Return the number of rounds expected from guessing, with up to two decimals. */
export const guessed = (rounds: number, chance: number) => decimal(+(rounds * chance).toFixed(2));

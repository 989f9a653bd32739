/** Shares, operations, energies and times as one says them; numbers are in the page's language, and no word is ours. */

import { count, decimal, fixed, inWords, language, small } from "./numbers";

const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";
/** Write a power of ten. */
const powerOfTen = (power: number) =>
  `10${power < 0 ? "⁻" : ""}${String(Math.abs(power)).replace(/\d/g, (digit) => RAISED[Number(digit)]!)}`;

/** Return a share in whole percent, never rounded down to nothing. */
export const percent = (share: number) =>
  share >= 0.995 ? "100 %" : share < 0.005 ? "< 1 %" : `${Math.round(100 * share)} %`;

/** Return a share with as many digits as tell small ones apart. */
export function fine(share: number): string {
  const hundred = 100 * share;
  if (hundred > 0 && hundred < 0.05) return `< ${decimal("0.1")} %`;
  if (hundred >= 99.5) return hundred < 100 ? "> 99 %" : "100 %";
  return hundred < 9.95 ? `${fixed(hundred, 1)} %` : `${Math.round(hundred)} %`;
}

/** Return a share that is to be all: never more than it is. */
export function whole(share: number): string {
  return `${decimal(Math.floor(1_000 * share) / 10)} %`;
}

/** Share of a time that a saving must have to be called one: less is lost in what else a computer does. */
export const NOTICED = 0.05;

/** Write a number with three digits at most. */
export const short = (value: number) =>
  value >= 100 ? count(value) : decimal(+value.toPrecision(3));

/** Write a number that was predicted or measured: whole ones as they are, others with three digits. */
export function figure(value: number): string {
  return Number.isInteger(value) ? count(value) : decimal(+value.toPrecision(3));
}

/** Write a number that is next to nothing. */
export function tiny(value: number): string {
  if (value === 0 || value >= 0.001) return small(value, 2);
  const power = Math.floor(Math.log10(value));
  return `${fixed(value / 10 ** power, 0)} × ${powerOfTen(power)}`;
}

/** Write a large number in words, and as a power of ten where there are none that one knows. */
export function large(value: number): string {
  if (value >= 1e15) {
    const power = Math.floor(Math.log10(value));
    return `${fixed(value / 10 ** power, 1)} × ${powerOfTen(power)}`;
  }
  return value >= 1e6 ? inWords(value, { maximumSignificantDigits: 3 }) : count(value);
}

/** Return a number of operations in few letters: "156 million", "33 thousand". */
export function flops(value: number): string {
  return value >= 1e3 ? inWords(value, { maximumSignificantDigits: 3 }) : count(value);
}

/** Return a number with `digits` significant digits as one writes it by hand: 0.0000332, or 1.1 × 10⁻⁹. */
export function plain(value: number | null, digits = 4): string {
  if (value === null || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e7 || (size > 0 && size < 1e-5)) {
    const [factor, power] = value.toExponential(digits - 1).split("e") as [string, string];
    return `${decimal(Number(factor))} × ${powerOfTen(Number(power))}`.replace("-", "−");
  }
  const decimals = size ? Math.max(0, digits - 1 - Math.floor(Math.log10(size))) : 0;
  const text = value
    .toFixed(Math.min(decimals, 12))
    .replace(/(\.\d*?)0+$/, "$1")
    .replace(/\.$/, "")
    .replace("-", "−");
  return decimal(text);
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

/** Write an energy: in joules, and from a kilowatt hour on in the unit of the electricity bill. */
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

/** Write a span of time in its largest unit. */
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

/** Share of games from which on luck is an explanation. */
export const USUAL = 0.05;

/** Format the rounds that guessing gets, with up to two decimals. */
export const guessed = (rounds: number, chance: number) => decimal(+(rounds * chance).toFixed(2));

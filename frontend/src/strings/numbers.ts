/** Number formats for readers of English. */

const number = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export const count = (value: number) => number.format(value);

export function fixed(value: number | null | undefined, digits: number): string {
  return value === null || value === undefined || !Number.isFinite(value)
    ? "–"
    : value.toFixed(digits);
}

/** Format a small number with `digits` significant digits, without an exponent while that is readable. */
export function small(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size >= 0.001 && size < 10_000
    ? String(+value.toPrecision(digits))
    : value.toExponential(1);
}

export function bytes(value: number): string {
  if (value < 1e6) return `${count(value / 1e3)} kB`;
  if (value < 1e7) return `${(value / 1e6).toFixed(1)} MB`;
  return value < 1e9 ? `${count(value / 1e6)} MB` : `${(value / 1e9).toFixed(1)} GB`;
}

/** Return a large number in words: "2.5 million", "340,000". */
export function approximately(amount: number): string {
  if (amount >= 1e6) return `${(amount / 1e6).toFixed(amount < 1e7 ? 1 : 0)} million`;
  const digits = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, amount))) - 1);
  return count(Math.round(amount / digits) * digits);
}

/** Number formats of the page's language. */

/** Code of the page's language. */
export let language = "en";
const WHOLE = { maximumFractionDigits: 0, signDisplay: "negative" } as const;
let number = new Intl.NumberFormat(language, WHOLE);
let mark = ".";

/** Set the language of all number formats. */
export function setNumberLanguage(code: string) {
  language = code;
  number = new Intl.NumberFormat(code, WHOLE);
  mark = new Intl.NumberFormat(code).format(0.5).charAt(1);
}

/** Return a whole number. */
export const count = (value: number) => number.format(value).replace("-", "−");

/**
 * Return the text of a number as the page writes every number: with the decimal mark of its language, grouped
 * thousands, a true minus sign, and no sign before a zero.
 */
export const decimal = (text: string | number) =>
  String(text)
    .replace(/^-(?=[0.]*$)/, "")
    .replace("-", "−")
    .replace(".", mark)
    .replace(/^(−?)(\d{4,})/, (_, sign: string, digits: string) => sign + count(+digits));

export function fixed(value: number | null | undefined, digits: number): string {
  return value === null || value === undefined || !Number.isFinite(value)
    ? "–"
    : decimal(value.toFixed(digits));
}

/** Return a power of ten with a superscript exponent. */
const powerOfTen = (power: number) =>
  `10${power < 0 ? "⁻" : ""}${String(Math.abs(power)).replace(/\d/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[+digit]!)}`;

/** Return a number in scientific notation, with `digits` significant digits. */
export function scientific(value: number, digits: number): string {
  const [factor, power] = value.toExponential(digits - 1).split("e") as [string, string];
  return `${decimal(+factor)}\u00a0×\u00a0${powerOfTen(+power)}`;
}

/** Return a number with `digits` significant digits, and a power of ten where it is very small or large. */
export function small(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  return size === 0 || (size >= 0.001 && size < 10_000)
    ? decimal(+value.toPrecision(digits))
    : scientific(value, 2);
}

export function bytes(value: number): string {
  if (value < 1e6) return `${count(value / 1e3)} kB`;
  if (value < 1e7) return `${fixed(value / 1e6, 1)} MB`;
  return value < 1e9 ? `${count(value / 1e6)} MB` : `${fixed(value / 1e9, 1)} GB`;
}

/** Return a large number with its thousands, millions, ... as a word: "2.5 million". */
export function inWords(value: number, digits: Intl.NumberFormatOptions): string {
  return new Intl.NumberFormat(language, {
    notation: "compact",
    compactDisplay: "long",
    ...digits,
  }).format(value);
}

/** Return a large number in words: "2.5 million", "340,000". */
export function approximately(amount: number): string {
  if (amount >= 1e6) {
    const digits = amount < 1e7 ? 1 : 0;
    return inWords(amount, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  }
  const digits = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, amount))) - 1);
  return count(Math.round(amount / digits) * digits);
}

/** Number formats of the page's language. */

/** Code of the page's language. */
export let language = "en";
let number = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
let mark = ".";

/** Set the language of all number formats. */
export function setNumberLanguage(code: string) {
  language = code;
  number = new Intl.NumberFormat(code, { maximumFractionDigits: 0 });
  mark = new Intl.NumberFormat(code).format(0.5).charAt(1);
}

export const count = (value: number) => number.format(value);

/** Return the text of a number with the decimal mark of the page's language. */
export const decimal = (text: string | number) => String(text).replace(".", mark);

export function fixed(value: number | null | undefined, digits: number): string {
  return value === null || value === undefined || !Number.isFinite(value)
    ? "–"
    : decimal(value.toFixed(digits));
}

/** Return a small number with `digits` significant digits, without an exponent where that is readable. */
export function small(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  return decimal(
    size >= 0.001 && size < 10_000 ? +value.toPrecision(digits) : value.toExponential(1),
  );
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

/** Fills the texts of the catalogues as `backend/lamplighter/contract/sentences.py` does, which lists the formats. */

import { printableText } from "../api/vocabulary";
import { count, decimal, fixed, language, small } from "./numbers";
import { precise } from "./shares";

export type Values = Readonly<Record<string, number | string>>;

/** A field of a text: a name, and how its number is written. */
const FIELD = /\{(\w+)(?::(\+?)(\.?\w+))?\}/g;

/** Fill the fields of a text; words come from the run, so their invisible characters are removed. */
export function fill(text: string, values: Values): string {
  return text.replace(FIELD, (_, name: string, sign?: string, format?: string) => {
    const value = values[name] ?? "";
    if (typeof value !== "number" || !format) return printableText(String(value));
    return (sign && value > 0 ? sign : "") + formatNumber(value, format);
  });
}

function formatNumber(value: number, format: string): string {
  if (format === "percent") return precise(value);
  if (format === "count") return count(value);
  if (format === "number") return decimal(+value.toPrecision(6));
  if (!format.startsWith(".")) return small(value, Number(format));
  return fixed(value, Number(format.slice(1)));
}

/**
 * Return the filled text of a key, or nothing if there is none: that of `KEY__FIELD_one` or `KEY__FIELD_none` if
 * the field is in the plural category "one", or an empty word.
 */
export function tell(
  texts: Readonly<Record<string, string | undefined>>,
  key: string,
  values: Values,
): string {
  const variants = Object.entries(values).map(
    ([name, value]) => texts[`${key}__${name}_${category(value)}`],
  );
  // A key may be any word that a server sends, such as "constructor".
  const own = Object.hasOwn(texts, key) ? texts[key] : "";
  return fill(variants.find(Boolean) ?? own ?? "", values);
}

function category(value: number | string): string {
  if (typeof value === "string") return value ? "other" : "none";
  return new Intl.PluralRules(language).select(value);
}

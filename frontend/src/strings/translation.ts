/**
 * Tables of texts, in English unless another language is installed. The first screen's tables are evaluated
 * before the installation and those of late panels after it, so both ways overwrite the tables in place.
 */

import { setNameTranslation } from "../api/names";
import { setNumberLanguage } from "./numbers";

/** The shape of a table in any language: its keys and parameters, with any text. */
export type Translated<T> = T extends string
  ? string
  : T extends (...values: infer Values) => infer Result
    ? (...values: Values) => Translated<Result>
    : T extends object
      ? { readonly [Key in keyof T]: Translated<T[Key]> }
      : T;

/** The texts of another language, by the names of their tables. */
export interface Translation {
  readonly language: string;
  readonly tables: Readonly<Record<string, object>>;
  /** Translates the names that Lamplighter gives; returns any other as it is. */
  readonly translateName: (name: string) => string;
}

const evaluated = new Map<string, object>();
let installed: Translation | null = null;

/** Return a table of texts in the installed language. */
export function table<T extends object>(name: string, texts: T): T {
  evaluated.set(name, texts);
  if (installed) overwrite(texts, installed.tables[name]);
  return texts;
}

/** Install a language: all tables and number formats use it from now on. */
export function install(translation: Translation) {
  installed = translation;
  setNumberLanguage(translation.language);
  setNameTranslation(translation.translateName);
  for (const [name, texts] of evaluated) overwrite(texts, translation.tables[name]);
}

function overwrite(texts: object, others: object | undefined) {
  for (const [key, other] of Object.entries(others ?? {})) {
    const text: unknown = texts[key as never];
    // A nested table is filled in place, since it may be shared with another table.
    if (typeof other === "object" && !Array.isArray(other))
      overwrite(text as object, other as object);
    else Object.assign(texts, { [key]: other as unknown });
  }
}

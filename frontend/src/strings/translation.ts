/**
 * Tables of texts, which are English unless another language is installed. Tables of panels that load late are
 * evaluated after that, those of the first screen before: so both write into the tables as they are.
 */

import { setNumberLanguage } from "./numbers";

/** The shape of a table in any language: its keys and parameters, with any text. */
export type Translated<T> = T extends string
  ? string
  : T extends (...values: infer Values) => infer Result
    ? (...values: Values) => Translated<Result>
    : T extends object
      ? { readonly [Key in keyof T]: Translated<T[Key]> }
      : T;

/** The texts of a language other than English, by the names of their tables. */
export interface Translation {
  readonly language: string;
  readonly tables: Readonly<Record<string, object>>;
}

const evaluated = new Map<string, object>();
let installed: Translation | null = null;

/** Return a table of texts, in the language that is installed. */
export function table<T extends object>(name: string, texts: T): T {
  evaluated.set(name, texts);
  if (installed) overwrite(texts, installed.tables[name]);
  return texts;
}

/** Install a language; each table has its texts from here on, and numbers its marks. */
export function install(translation: Translation) {
  installed = translation;
  setNumberLanguage(translation.language);
  for (const [name, texts] of evaluated) overwrite(texts, translation.tables[name]);
}

function overwrite(texts: object, others: object | undefined) {
  for (const [key, other] of Object.entries(others ?? {})) {
    const text: unknown = texts[key as never];
    // What is a table within a table stays, since it may be part of another one.
    if (typeof other === "object" && !Array.isArray(other))
      overwrite(text as object, other as object);
    else Object.assign(texts, { [key]: other as unknown });
  }
}

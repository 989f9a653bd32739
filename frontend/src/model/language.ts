/** The languages of the page, and the choice for a visitor. Pure. */

/** Names of the languages, each in itself, by ISO 639 code. A new one also needs a folder in `strings/`. */
export const LANGUAGES = { en: "English", de: "Deutsch" } as const;

export type Language = keyof typeof LANGUAGES;

/** Key under which the browser stores the choice. */
export const LANGUAGE_KEY = "lamplighter.language";

/**
 * Return the language of the first tag, such as `de-CH`, that the page has texts for; else English. Hostile.
 */
export function chooseLanguage(tags: readonly (string | null)[]): Language {
  const known = Object.keys(LANGUAGES) as Language[];
  for (const tag of tags) {
    const found = known.find((code) => code === tag?.split("-")[0]!.toLowerCase());
    if (found) return found;
  }
  return "en";
}

/** The languages of the page, and which of them a visitor reads. Pure. */

/** Names of the languages, each in itself, by their codes (ISO 639). A new one has a folder in `strings/`, too. */
export const LANGUAGES = { en: "English", de: "Deutsch" } as const;

export type Language = keyof typeof LANGUAGES;

/** Key of the choice that this browser stores. */
export const LANGUAGE_KEY = "lamplighter.language";

/** Return the first of some language tags, such as `de-CH`, in whose language the page has texts; else English. Hostile. */
export function chooseLanguage(tags: readonly (string | null)[]): Language {
  const known = Object.keys(LANGUAGES) as Language[];
  for (const tag of tags) {
    const found = known.find((code) => code === tag?.split("-")[0]!.toLowerCase());
    if (found) return found;
  }
  return "en";
}

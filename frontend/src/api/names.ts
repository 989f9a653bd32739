/** Names that Lamplighter itself gives: planted kinds, families and relations, and the parts of a model. */

let translate = (name: string) => name;

/** Set the translation of these names into the page's language; it returns any other name as it is. */
export function setNameTranslation(translation: (name: string) => string) {
  translate = translation;
}

/** Return a name in the page's language if Lamplighter gave it. */
export function translatedName(name: string): string {
  return translate(name);
}

/** A panel, a neighbourhood or a command that the search of the page finds. */
export interface SearchEntry {
  /** The language-independent name of the entry. */
  name: string;
  label: string;
  /** Kind of entry, in words. */
  note: string;
  does: () => unknown;
}

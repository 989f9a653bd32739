/** A panel, a neighbourhood or a command that the search of the page finds. */
export interface SearchEntry {
  /** The same for the entry in every language. */
  name: string;
  label: string;
  /** Kind of the thing, in words. */
  note: string;
  does: () => unknown;
}

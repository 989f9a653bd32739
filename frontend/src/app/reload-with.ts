/** A reload of the page with another choice that it makes as it opens; the view in its address stays. */

/**
 * Reload the page with a choice. `word`: its key in the address; `key`: its key in the browser's storage;
 * `value`: null forgets the choice.
 */
export function reloadWith(word: string, key: string, value: string | null) {
  const words = new URLSearchParams(location.search);
  words.delete(word);
  // A browser may drop what a file stores, so the address also carries the choice.
  let kept = location.protocol !== "file:";
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    kept = false;
  }
  if (value !== null && !kept) words.set(word, value);
  location.replace(`${location.pathname}?${words}`);
}

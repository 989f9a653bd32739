/** The keyboard cursor in the batch's text: the one word that is a tab stop. Pure. */

/** A word of the text: its line, and its index in that line. */
export interface WordPlace {
  line: number;
  word: number;
}

/** Return the valid place nearest to `place`; `lengths` has the number of words of each line. */
export function placeWithin({ line, word }: WordPlace, lengths: readonly number[]): WordPlace {
  const within = (value: number, length = 0) => Math.max(0, Math.min(length - 1, value));
  const nearest = within(line, lengths.length);
  return { line: nearest, word: within(word, lengths[nearest]) };
}

/**
 * Return the place to which a key moves the cursor; null for other keys. Left and right continue into the
 * previous and the next line.
 */
export function placeAfterKey(
  key: string,
  { line, word }: WordPlace,
  lengths: readonly number[],
): WordPlace | null {
  const last = { line: Infinity, word: Infinity };
  const moves: Record<string, WordPlace> = {
    ArrowLeft: word || !line ? { line, word: word - 1 } : { line: line - 1, word: Infinity },
    ArrowRight:
      word + 1 < (lengths[line] ?? 0) || line + 1 >= lengths.length
        ? { line, word: word + 1 }
        : { line: line + 1, word: 0 },
    ArrowUp: { line: line - 1, word },
    ArrowDown: { line: line + 1, word },
    Home: { line: 0, word: 0 },
    End: last,
  };
  return Object.hasOwn(moves, key) ? placeWithin(moves[key]!, lengths) : null;
}

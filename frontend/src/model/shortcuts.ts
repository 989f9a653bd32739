/**
 * The table of all shortcuts: the keys of each command. The page obeys this table, and the list on
 * `?` shows it, so the two cannot disagree. `app/shortcut-actions.ts` holds each command's action and
 * `strings/page.ts` its description; a row that lacks either does not compile. Pure.
 *
 * Keys are named as in `KeyboardEvent.key`; one that types no character may have the prefix
 * `Shift+`.
 */

const TABLE = {
  search: ["/"],
  pause: [" "],
  live: ["l"],
  back: ["ArrowLeft"],
  forward: ["ArrowRight"],
  farBack: ["Shift+ArrowLeft"],
  farForward: ["Shift+ArrowRight"],
  first: ["Home"],
  newest: ["End"],
  step: ["."],
  map: ["m"],
  skyline: ["3"],
  beside: ["b"],
  lasso: ["g"],
  inspector: ["i"],
  home: ["h"],
  save: ["s"],
  closer: ["+", "="],
  farther: ["-"],
  escape: ["Escape"],
  shortcuts: ["?"],
} as const satisfies Record<string, readonly string[]>;

export type Command = keyof typeof TABLE;

/** All shortcuts, in the order of the list. */
export const SHORTCUTS = Object.entries(TABLE) as [Command, readonly string[]][];

const COMMANDS = new Map(SHORTCUTS.flatMap(([command, keys]) => keys.map((key) => [key, command])));

/** Elements that use keys themselves: fields, and widgets moved with arrow keys. */
const TYPING =
  "input:not([type=radio], [type=checkbox]), select, textarea, dialog, [contenteditable]";
const MOVED =
  "[role=slider], [role=tablist], [role=listbox], [role=radiogroup], [role=grid], [type=radio]";
const PRESSED = "input, button, summary, a";

/**
 * Return the command of a key; null while the user types, or for any other key.
 *
 * `letters`: whether keys that type a character count. People who speak to their computer, or whose
 * hands press more keys than they mean, can turn those off.
 */
export function commandOfKey(event: KeyboardEvent, letters = true): Command | null {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return null;
  const within = (list: string) =>
    Boolean((event.target as Partial<Element> | null)?.closest?.(list));
  if (within(TYPING)) return null;
  const writes = event.key.length === 1;
  if (writes && !letters) return null;
  if (!writes && event.key !== "Escape" && within(MOVED)) return null;
  // Space on a button presses the button.
  if (event.key === " " && within(PRESSED)) return null;
  const key = event.shiftKey && !writes ? `Shift+${event.key}` : event.key;
  return COMMANDS.get(key) ?? null;
}

const NAMES: Record<string, string> = {
  " ": "space",
  Escape: "Esc",
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
  "-": "−",
};

/** Return the label of a key. */
export function keyLabel(key: string): string {
  const [last, ...held] = key.split("+").reverse();
  return key === "+" ? key : [...held.reverse(), NAMES[last!] ?? last!].join(" ");
}

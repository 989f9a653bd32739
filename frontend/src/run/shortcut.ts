/**
 * Every shortcut there is: which keys stand for which command. The page obeys this table and the list on `?` is
 * this table, so neither can know a key that the other does not. What a command does is said in `Page.svelte`, in
 * words in `strings/page.ts`; a row without either does not compile. Pure.
 *
 * Keys are named as `KeyboardEvent.key` has them; a key that writes nothing may have `Shift+` before it.
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

/** In the order of the list. */
export const SHORTCUTS = Object.entries(TABLE) as [Command, readonly string[]][];

const COMMANDS = new Map(SHORTCUTS.flatMap(([command, keys]) => keys.map((key) => [key, command])));

/** What has its own use for keys: fields, and what is moved through with arrows. */
const TYPING =
  "input:not([type=radio], [type=checkbox]), select, textarea, dialog, [contenteditable]";
const MOVED =
  "[role=slider], [role=tablist], [role=listbox], [role=radiogroup], [role=grid], [type=radio]";
const PRESSED = "input, button, summary, a";

/**
 * The command a key stands for; null while someone types, or for any other key.
 *
 * `letters`: whether keys that write something count. People who speak to their computer, or whose hands
 * press more than they mean, can turn those off.
 */
export function shortcut(event: KeyboardEvent, letters = true): Command | null {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return null;
  const within = (list: string) => Boolean((event.target as Element | null)?.closest?.(list));
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

/** What is printed on a key. */
export function keyName(key: string): string {
  const [last, ...held] = key.split("+").reverse();
  return key === "+" ? key : [...held.reverse(), NAMES[last!] ?? last!].join(" ");
}

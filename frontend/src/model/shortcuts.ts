/**
 * The table of all shortcuts: the command of each key. The page obeys this table and the list behind `?`
 * shows it, so they cannot disagree. `state/commands/` holds the commands of these names and
 * `app/help.strings.ts` their descriptions; a row that lacks either does not compile. Pure.
 *
 * Keys are named as in `KeyboardEvent.key`; a key that types no character may have the prefix `Shift+`, and a
 * letter `Ctrl+` or `⌘+`, with which it also works in a field.
 */

const TABLE = {
  focusSearch: ["Ctrl+k", "⌘+k", "/"],
  togglePicture: [" "],
  stepBack: ["ArrowLeft"],
  stepForward: ["ArrowRight"],
  jumpBack: ["Shift+ArrowLeft"],
  jumpForward: ["Shift+ArrowRight"],
  goToFirstStep: ["Home"],
  goToNewestStep: ["End"],
  dismiss: ["Escape"],
  toggleShortcuts: ["?"],
} as const satisfies Record<string, readonly string[]>;

/** Name of a command that has keys. */
export type ShortcutName = keyof typeof TABLE;

/** All shortcuts, in the order of the list. */
export const SHORTCUTS = Object.entries(TABLE) as [ShortcutName, readonly string[]][];

const NAME_OF_KEY = new Map(SHORTCUTS.flatMap(([name, keys]) => keys.map((key) => [key, name])));

/** Elements that use keys themselves: fields, and widgets moved with arrow keys. */
const TYPING =
  "input:not([type=radio], [type=checkbox]), select, textarea, dialog, [contenteditable]";
const MOVED =
  "[role=slider], [role=tablist], [role=listbox], [role=radiogroup], [role=grid], [type=radio]";
const PRESSED = "input, button, summary, a";

/**
 * Return the name of a key's command; null while the user types, or for other keys.
 *
 * `letters`: whether keys that type a character count. People who use speech input or have tremors can turn
 * those off. `covered`: whether a panel covers the window; Esc then closes it wherever the focus is.
 */
export function commandOfKey(
  event: KeyboardEvent,
  letters = true,
  covered = false,
): ShortcutName | null {
  if (event.altKey || event.defaultPrevented) return null;
  const within = (list: string) =>
    Boolean((event.target as Partial<Element> | null)?.closest?.(list));
  if (event.ctrlKey || event.metaKey) {
    const held = `${event.ctrlKey ? "Ctrl" : "⌘"}+${event.key}`;
    return event.shiftKey || within("dialog") ? null : (NAME_OF_KEY.get(held) ?? null);
  }
  if (within(covered && event.key === "Escape" ? "dialog" : TYPING)) return null;
  const writes = event.key.length === 1;
  if (writes && !letters) return null;
  if (!writes && event.key !== "Escape" && within(MOVED)) return null;
  // Space on a button presses the button.
  if (event.key === " " && within(PRESSED)) return null;
  const key = event.shiftKey && !writes ? `Shift+${event.key}` : event.key;
  return NAME_OF_KEY.get(key) ?? null;
}

const LABELS: Record<string, string> = {
  " ": "space",
  Escape: "Esc",
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
  k: "K",
};

/** Return the label of a key. */
export function keyLabel(key: string): string {
  const [last, ...held] = key.split("+").reverse();
  return key === "+" ? key : [...held.reverse(), LABELS[last!] ?? last!].join(" ");
}

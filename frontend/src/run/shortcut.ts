/** Which command a key stands for; null while someone types, or for any other key. Pure. */

const COMMANDS = {
  "/": "search",
  " ": "pause",
  ".": "step",
  m: "map",
  i: "inspector",
  h: "home",
  l: "live",
  "+": "closer",
  "=": "closer",
  "-": "farther",
  "?": "shortcuts",
  Escape: "escape",
} as const;

export type Command = (typeof COMMANDS)[keyof typeof COMMANDS];

export function shortcut(event: KeyboardEvent): Command | null {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return null;
  const target = event.target as Element | null;
  if (target?.closest?.("input, select, textarea, dialog, [contenteditable]")) return null;
  // Space on a button presses the button.
  if (event.key === " " && target?.closest?.("button, summary, a")) return null;
  return Object.hasOwn(COMMANDS, event.key) ? COMMANDS[event.key as keyof typeof COMMANDS] : null;
}

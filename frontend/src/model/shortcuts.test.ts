import { describe, expect, it } from "vitest";
import { keyLabel, commandOfKey, SHORTCUTS } from "./shortcuts";

const key = (key: string, within: string | null = null, more: Partial<KeyboardEvent> = {}) =>
  ({
    key,
    target: { closest: (list: string) => (within && list.includes(within) ? {} : null) },
    ...more,
  }) as unknown as KeyboardEvent;

describe("shortcuts", () => {
  it("are commands", () => {
    expect(commandOfKey(key("/"))).toBe("focusSearch");
    expect(commandOfKey(key(" "))).toBe("togglePicture");
    expect(commandOfKey(key("x"))).toBeNull();
    expect(commandOfKey(key("constructor"))).toBeNull();
  });

  it("ignore typing, and the browser's own keys", () => {
    expect(commandOfKey(key("/", "input"))).toBeNull();
    expect(commandOfKey(key(" ", "button"))).toBeNull();
    expect(commandOfKey(key("/", "button"))).toBe("focusSearch");
    expect(commandOfKey(key("/", null, { ctrlKey: true }))).toBeNull();
    expect(commandOfKey(key("k"))).toBeNull();
  });

  it("open the search with Ctrl or ⌘ from any field, but not from a dialog", () => {
    for (const held of [{ ctrlKey: true }, { metaKey: true }]) {
      expect(commandOfKey(key("k", null, held))).toBe("focusSearch");
      expect(commandOfKey(key("k", "input", held), false)).toBe("focusSearch");
      expect(commandOfKey(key("k", "dialog", held))).toBeNull();
      expect(commandOfKey(key("k", null, { ...held, shiftKey: true }))).toBeNull();
    }
  });

  it("close a panel that covers the window from any field, but not from a dialog", () => {
    for (const within of ["input", "select"]) {
      expect(commandOfKey(key("Escape", within))).toBeNull();
      expect(commandOfKey(key("Escape", within), true, true)).toBe("dismiss");
      expect(commandOfKey(key("?", within), true, true)).toBeNull();
    }
    expect(commandOfKey(key("Escape", "dialog"), true, true)).toBeNull();
  });

  it("that type a character can be turned off; the others stay", () => {
    for (const [command, keys] of SHORTCUTS) {
      for (const one of keys.filter((one) => !one.includes("+"))) {
        expect(commandOfKey(key(one))).toBe(command);
        expect(commandOfKey(key(one), false)).toBe(one.length === 1 ? null : command);
      }
    }
  });

  it("have distinct keys, and a name for each key", () => {
    const keys = SHORTCUTS.flatMap(([, keys]) => keys);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.map(keyLabel)).not.toContain("");
    expect(keyLabel("Shift+ArrowRight")).toBe("Shift →");
    expect(keyLabel("Ctrl+k")).toBe("Ctrl K");
    expect(keyLabel(" ")).toBe("space");
  });
});

import { describe, expect, it } from "vitest";
import { keyName, shortcut, SHORTCUTS } from "./shortcuts";

const key = (key: string, within: string | null = null, more: Partial<KeyboardEvent> = {}) =>
  ({
    key,
    target: { closest: (list: string) => (within && list.includes(within) ? {} : null) },
    ...more,
  }) as unknown as KeyboardEvent;

describe("shortcuts", () => {
  it("are commands", () => {
    expect(shortcut(key("/"))).toBe("search");
    expect(shortcut(key(" "))).toBe("pause");
    expect(shortcut(key("x"))).toBeNull();
    expect(shortcut(key("constructor"))).toBeNull();
  });

  it("leave alone who types, and the browser's own", () => {
    expect(shortcut(key("m", "input"))).toBeNull();
    expect(shortcut(key(" ", "button"))).toBeNull();
    expect(shortcut(key(".", "button"))).toBe("step");
    expect(shortcut(key("i", null, { ctrlKey: true }))).toBeNull();
  });

  it("that write something can be turned off; the others stay", () => {
    for (const [command, keys] of SHORTCUTS) {
      for (const one of keys.filter((one) => !one.startsWith("Shift+"))) {
        expect(shortcut(key(one))).toBe(command);
        expect(shortcut(key(one), false)).toBe(one.length === 1 ? null : command);
      }
    }
  });

  it("have no key twice, and each key a name", () => {
    const keys = SHORTCUTS.flatMap(([, keys]) => keys);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.map(keyName)).not.toContain("");
    expect(keyName("Shift+ArrowRight")).toBe("Shift →");
    expect(keyName("+")).toBe("+");
    expect(keyName(" ")).toBe("space");
  });
});

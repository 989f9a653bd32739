import { describe, expect, it } from "vitest";
import { shortcut } from "./shortcut";

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
});

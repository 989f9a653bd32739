/** The themes of the page: dark, and light for bright rooms. The choice is made once, as the page opens. */

export const THEMES = ["night", "dusk"] as const;

export type Theme = (typeof THEMES)[number];

/** Key of the theme in the address, and key under which the browser stores the choice. */
export const THEME_WORD = "theme";
export const THEME_KEY = "lamplighter.theme";

/**
 * Return the first known theme: the address's, else the stored one, else that of the system. `light`: whether
 * the system is light. Hostile.
 */
export function chooseTheme(names: readonly (string | null)[], light: boolean): Theme {
  const named = names.flatMap((name) => THEMES.filter((theme) => theme === name));
  return named[0] ?? (light ? "dusk" : "night");
}

/** Return the stored choice; null: as the system. */
export function storedTheme(): string | null {
  try {
    return localStorage.getItem(THEME_KEY);
  } catch {
    return null;
  }
}

const root = typeof document === "object" ? document.documentElement : null;

/** The theme of this page. Whatever asks for a colour imports it first, so the style sheet knows it by then. */
export const THEME = root
  ? chooseTheme(
      [new URLSearchParams(location.search).get(THEME_WORD), storedTheme()],
      matchMedia("(prefers-color-scheme: light)").matches,
    )
  : "night";
root?.setAttribute("data-theme", THEME);

const style = root && getComputedStyle(root);

/** Return a colour of the style sheet, for what cannot use its variables. */
export function cssColour(name: string): string {
  return style?.getPropertyValue(`--${name}`) ?? "";
}

/** Milliseconds after which the effect of a button is visible. */
const CLICK_EFFECT_DELAY = 300;

/** Keep the focus in the same part of the page when the clicked button disappears or is disabled. */
export function keepFocus({ target }: Event) {
  const part = (target as Element).closest("button")?.closest<HTMLElement>("section, aside");
  setTimeout(() => {
    if (!part || document.activeElement !== document.body) return;
    part.tabIndex = -1;
    part.focus();
  }, CLICK_EFFECT_DELAY);
}

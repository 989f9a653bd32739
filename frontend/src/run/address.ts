/** What the address bar holds, so that a link shows a colleague the same thing: run, token, map, panel. */

import type { Method } from "../wire/frames";

export type PanelName = "token" | "step" | "map" | "measures" | "export" | "runs";
export const PANELS: readonly PanelName[] = ["token", "step", "map", "measures", "export", "runs"];

export interface Address {
  run: string | null;
  token: number | null;
  map: Method | null;
  panel: PanelName | null;
  /** The step to play the run from; null: live. */
  from: number | null;
  /** Steps a second at which it is played. */
  speed: number | null;
}

export const NOWHERE: Address = {
  run: null,
  token: null,
  map: null,
  panel: null,
  from: null,
  speed: null,
};

/** Read a query string; what it does not say, or says wrongly, is null. */
export function readAddress(query: string): Address {
  const words = new URLSearchParams(query);
  const token = words.get("token") ?? "";
  const map = words.get("map");
  const panel = words.get("panel");
  const from = words.get("from") ?? "";
  const speed = words.get("speed") ?? "";
  return {
    run: words.get("run") || null,
    token: /^\d{1,9}$/.test(token) ? Number(token) : null,
    map: map === "umap" || map === "linear" ? map : null,
    panel: PANELS.find((name) => name === panel) ?? null,
    from: /^\d{1,9}$/.test(from) ? Number(from) : null,
    speed: /^\d{1,6}(\.\d{1,3})?$/.test(speed) && Number(speed) > 0 ? Number(speed) : null,
  };
}

/** The query string of an address, `""` or starting with `?`. */
export function writeAddress(address: Address): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(address)) {
    if (value !== null) words.set(name, String(value));
  }
  const text = words.toString();
  return text && `?${text}`;
}

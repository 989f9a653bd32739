/**
 * The key of this browser's session as the presenter. The page that answers a launch stores it
 * (`static/launch.js`) in the storage of this origin; unlike a cookie, it is not sent to programs on other
 * ports.
 */

import { serverPath } from "./server-path";

export const KEY_HEADER = "Lamplighter-Key";

/** Return the key, or null without a session or storage. */
export function sessionKey(): string | null {
  try {
    return localStorage.getItem(storageKey());
  } catch {
    return null;
  }
}

/** Forget the key: the session has ended. */
export function forgetSessionKey() {
  try {
    localStorage.removeItem(storageKey());
  } catch {
    // Without storage there is no key to forget.
  }
}

function storageKey(): string {
  return `lamplighter.key ${serverPath("/")}`;
}

/**
 * The key of this browser's session as the presenter. The page that answers a launch stores it (`static/launch.js`); it
 * lies in the storage of this very address, where no program on another port is sent it, as it is sent the cookie.
 */

import { serverPath } from "./server-path";

export const KEY_HEADER = "Lamplighter-Key";

/** Return the key, or null if this browser has no session, or no storage. */
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

/** The version of the page that the server has, against the one that is open. */

import { serverPath } from "./server-path";

/**
 * Return whether the server has another page than the one whose script has this name, so that parts of this one are gone;
 * false where the server does not say.
 */
export async function isPageReplaced(script: string): Promise<boolean> {
  try {
    const answer = await fetch(serverPath("/"), { cache: "no-store" });
    return answer.ok && !(await answer.text()).includes(script);
  } catch {
    return false;
  }
}

/** Paths of the server, and the check whether it still serves this page. */

/**
 * Return the URL path of a server path such as `/api/runs`: below the page's own folder, which a proxy may
 * have put under a prefix such as `/lamplighter`.
 */
export function serverPath(path: string): string {
  return folder + path;
}

/** The page's folder, without the slash at its end. */
const folder = typeof location === "undefined" ? "" : location.pathname.replace(/\/[^/]*$/, "");

/**
 * Return whether the server has replaced the page whose script has this name, so that parts of this one are
 * gone; false if the server does not say.
 */
export async function isPageReplaced(script: string): Promise<boolean> {
  try {
    const answer = await fetch(serverPath("/"), { cache: "no-store" });
    return answer.ok && !(await answer.text()).includes(script);
  } catch {
    return false;
  }
}

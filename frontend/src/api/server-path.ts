/**
 * Return where the page finds a path of the server, such as `/api/runs`: below the page's own folder, which a proxy may have
 * put under a path such as `/lamplighter`.
 */
export function serverPath(path: string): string {
  return folder + path;
}

/** The page's folder, without the slash at its end. */
const folder = typeof location === "undefined" ? "" : location.pathname.replace(/\/[^/]*$/, "");

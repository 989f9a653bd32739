/** The exporters of pictures and films, whose code loads on first use. */

/** Code failed to load; trying again may help. */
export class NotLoadedError extends Error {}

/**
 * Load the exporters.
 *
 * @throws NotLoadedError if their code fails to load.
 */
export function loadExporters() {
  return awaitCode(import("../map/export"));
}

/**
 * Wait for code that is loading.
 *
 * @throws NotLoadedError if it fails to load.
 */
export async function awaitCode<Code>(loading: Promise<Code>): Promise<Code> {
  try {
    return await loading;
  } catch (error) {
    throw new NotLoadedError("code for an export did not load", { cause: error });
  }
}

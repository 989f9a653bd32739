/** The exporters of pictures and films, whose code is loaded when the first is asked for. */

/** A failure to load code. Trying again may help. */
export class NotLoadedError extends Error {}

/**
 * Load the exporters.
 *
 * @throws NotLoadedError if their code does not arrive.
 */
export function loadExporters() {
  return awaitCode(import("../map/export"));
}

/**
 * Wait for code that is being loaded.
 *
 * @throws NotLoadedError if it does not arrive.
 */
export async function awaitCode<Code>(loading: Promise<Code>): Promise<Code> {
  try {
    return await loading;
  } catch (error) {
    throw new NotLoadedError("code for an export did not load", { cause: error });
  }
}

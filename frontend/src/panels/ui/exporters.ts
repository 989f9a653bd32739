/** The exporters of pictures and films, whose code is loaded when the first is asked for. */

/** A failure to load code. Trying again may help. */
export class NotLoadedError extends Error {}

/**
 * Load the exporters.
 *
 * @throws NotLoadedError if their code does not arrive.
 */
export async function loadExporters() {
  try {
    return await import("../../map/export");
  } catch (error) {
    throw new NotLoadedError("the exporters did not load", { cause: error });
  }
}

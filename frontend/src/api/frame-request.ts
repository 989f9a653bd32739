/** Requests for frames over REST. */

import { FrameError } from "./binary-reader";
import { ApiError, reasonGiven } from "./failure";
import { decodeAll, type Frame } from "./frames";
import { requestBytes } from "./rest";

/**
 * Request the frames at `path`. Throws `ApiError`, also for a response that is no frames, or the
 * abort.
 */
export async function requestFrames(path: string, signal: AbortSignal): Promise<Frame[]> {
  const data = await requestBytes(path, { signal });
  try {
    return decodeAll(data);
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    throw new ApiError(0, reasonGiven(error.message));
  }
}

/** Requests for frames over REST. */

import { FrameError } from "./binary-reader";
import { ApiError, reasonGiven } from "./failure";
import { decodeAll, type Frame } from "./frames";
import { requestBytes } from "./rest";
import { getSource, type ReceivedFrames } from "./source";

/** Request the frames at `path`, with their size in bytes. Throws `ApiError`, `FrameError`, or the abort. */
export async function receiveFrames(path: string, signal: AbortSignal): Promise<ReceivedFrames> {
  const ready = getSource().readFrames(path);
  if (ready) return ready;
  const data = await requestBytes(path, { signal });
  return { frames: decodeAll(data), bytes: data.byteLength };
}

/** Request the frames at `path`. Throws `ApiError`, also for a response without frames, or the abort. */
export async function requestFrames(path: string, signal: AbortSignal): Promise<Frame[]> {
  try {
    return (await receiveFrames(path, signal)).frames;
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    throw new ApiError(0, reasonGiven(error.message));
  }
}

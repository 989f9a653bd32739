/**
 * Arrays in the npy format of `numpy.save`, of the one kind the server sends: float32, one axis.
 */

import { fetchResponse } from "./rest";
import { ApiError, reasonGiven } from "./failure";

const MAGIC = "\x93NUMPY";

/**
 * Parse an npy file into its numbers. Throws `RangeError` for anything but little-endian float32
 * with one axis.
 */
export function parseNpy(data: ArrayBuffer): Float32Array {
  const view = new DataView(data);
  const text = (from: number, length: number) =>
    String.fromCharCode(...new Uint8Array(data, from, length));
  if (data.byteLength < 10 || text(0, 6) !== MAGIC || view.getUint8(6) !== 1) {
    throw new RangeError("not an npy file of version 1");
  }
  const start = 10 + view.getUint16(8, true);
  if (start > data.byteLength) throw new RangeError("the head is cut off");
  const head = text(10, start - 10);
  const shape = /'shape': \((\d{1,9}),\)/.exec(head);
  if (!head.includes("'descr': '<f4'") || !shape) throw new RangeError(`not float32: ${head}`);
  if (data.byteLength - start !== 4 * Number(shape[1])) throw new RangeError("not of that length");
  // A copy, because the numbers need not be aligned to four bytes.
  return new Float32Array(data.slice(start));
}

/**
 * Request an array; return its numbers and the response headers. Throws `ApiError`, or the abort.
 */
export async function requestArray(path: string, signal: AbortSignal) {
  const answer = await fetchResponse(path, { signal, headers: { accept: "application/x-npy" } });
  try {
    return { numbers: parseNpy(await answer.arrayBuffer()), headers: answer.headers };
  } catch (error) {
    if (signal.aborted || !(error instanceof RangeError)) throw error;
    throw new ApiError(0, reasonGiven(error.message));
  }
}

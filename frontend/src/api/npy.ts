/** Arrays in the npy format of `numpy.save`, limited to what the server sends: float32 in C order. */

import { fetchResponse } from "./rest";
import { ApiError, reasonGiven } from "./failure";

const MAGIC = "\x93NUMPY";

/**
 * Parse an npy file into its numbers, row after row. Throws `RangeError` unless it is little-endian float32 in C order.
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
  const shape = /'shape': \((\d{1,9}),(?: (\d{1,9}))?\)/.exec(head);
  if (!head.includes("'descr': '<f4'") || !head.includes("'fortran_order': False") || !shape)
    throw new RangeError(`not float32: ${head}`);
  const length = Number(shape[1]) * Number(shape[2] ?? 1);
  if (data.byteLength - start !== 4 * length) throw new RangeError("not of that length");
  // A copy, because the numbers may not be aligned to four bytes.
  return new Float32Array(data.slice(start));
}

/** An array of numbers, and the steps named in its HTTP headers; null if not named. */
interface StepArray {
  numbers: Float32Array;
  /** First step of a span. */
  from: number | null;
  /** Step of the numbers, or the last step of a span. */
  step: number | null;
}

/** Request an array and its steps. Throws `ApiError`, or the abort. */
export async function requestArray(path: string, signal: AbortSignal): Promise<StepArray> {
  const answer = await fetchResponse(path, { signal, headers: { accept: "application/x-npy" } });
  const { headers } = answer;
  try {
    const numbers = parseNpy(await answer.arrayBuffer());
    return { numbers, from: stepHeader(headers, "From"), step: stepHeader(headers, "Step") };
  } catch (error) {
    if (signal.aborted || !(error instanceof RangeError)) throw error;
    throw new ApiError(0, reasonGiven(error.message));
  }
}

function stepHeader(headers: Headers, name: "From" | "Step"): number | null {
  const word = headers.get(`X-Lamplighter-${name}`);
  return word !== null && /^\d{1,10}$/.test(word) ? Number(word) : null;
}

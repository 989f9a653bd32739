/** Decoding of row sets, which the server sends as base64 bitmaps. Pure. */

/** Return one byte per row, 1 where row r is set: bit r % 8 of byte r / 8. */
export function rowsOf(bitmap: string, rows: number): Uint8Array {
  const bytes = atob(bitmap);
  return Uint8Array.from({ length: rows }, (_, row) => {
    const byte = row >> 3;
    return byte < bytes.length ? (bytes.charCodeAt(byte) >> (row & 7)) & 1 : 0;
  });
}

/** Sets of rows as the server sends them in answers: bitmaps in base64. Pure. */

/** Return one byte for each of `rows` rows, 1 where the bitmap has it: row r is bit r % 8 of byte r / 8. */
export function rowsOf(bitmap: string, rows: number): Uint8Array {
  const bytes = atob(bitmap);
  return Uint8Array.from({ length: rows }, (_, row) => {
    const byte = row >> 3;
    return byte < bytes.length ? (bytes.charCodeAt(byte) >> (row & 7)) & 1 : 0;
  });
}

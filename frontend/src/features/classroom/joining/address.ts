/** The join address of a class, as text and as a QR code. Pure. */

/** Return an address without its scheme and trailing slash, which need not be typed. */
export function plainAddress(address: string): string {
  return address.replace(/^http:\/\//, "").replace(/\/$/, "");
}

/** Return the SVG path of the dark modules ("1") of these rows; each module is one unit wide. */
export function qrPath(rows: readonly string[]): string {
  const bars = rows.flatMap((row, y) =>
    [...row.matchAll(/1+/g)].map(
      ({ 0: { length }, index }) => `M${index} ${y}h${length}v1h-${length}z`,
    ),
  );
  return bars.join("");
}

/** The drawing of a QR code. Pure. */

/** Return the path of an SVG that draws the dark modules of these rows, each one unit wide; "1" is dark. */
export function qrPath(rows: readonly string[]): string {
  const bars = rows.flatMap((row, y) =>
    [...row.matchAll(/1+/g)].map(
      ({ 0: { length }, index }) => `M${index} ${y}h${length}v1h-${length}z`,
    ),
  );
  return bars.join("");
}

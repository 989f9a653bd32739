/** The address of a class, to be read out or scanned. Pure. */

/** Return an address without the scheme and the slash at its end, which need not be typed. */
export function plainAddress(address: string): string {
  return address.replace(/^http:\/\//, "").replace(/\/$/, "");
}

/** Return the path of an SVG that draws the dark modules of these rows, each one unit wide; "1" is dark. */
export function qrPath(rows: readonly string[]): string {
  const bars = rows.flatMap((row, y) =>
    [...row.matchAll(/1+/g)].map(
      ({ 0: { length }, index }) => `M${index} ${y}h${length}v1h-${length}z`,
    ),
  );
  return bars.join("");
}

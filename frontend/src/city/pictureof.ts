/** What is on a canvas as a file; in PNG where the browser does not write what was asked for. */
export function pictureOf(
  canvas: HTMLCanvasElement,
  type: string,
  quality?: number,
): Promise<Blob> {
  return new Promise((resolve, reject) =>
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error("no picture"))),
      type,
      quality,
    ),
  );
}

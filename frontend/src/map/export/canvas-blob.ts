/**
 * Encode a canvas as an image file; as PNG where the browser cannot write `type`.
 *
 * @throws Error if the browser returns no picture.
 */
export function canvasBlob(
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

/**
 * A film of some steps, drawn off screen and encoded frame by frame, as fast as this machine can. Recording
 * playback instead would silently drop steps on a slow machine or a hidden page.
 */

import { FilmTiming } from "../../model/film-timing";
import { pixelDimensions } from "../../model/picture-sizes";
import { FilmRenderer, type FilmSpec } from "./film-renderer";
import { createFrameEncoder } from "./video-encoder";

/** A rendered film. */
interface Film {
  blob: Blob;
  seconds: number;
}

/**
 * Render the film; `progress` receives the finished share, 0 to 1.
 *
 * A browser that cannot encode video makes an animated picture without glides: see `createFrameEncoder`.
 *
 * @throws the abort reason, or an Error if drawing or encoding fails.
 */
export async function renderFilm(
  spec: FilmSpec,
  signal: AbortSignal,
  progress: (share: number) => void,
): Promise<Film> {
  const [width, height] = pixelDimensions(spec.size);
  const encoder = await createFrameEncoder(width, height);
  if (encoder.still) spec = { ...spec, steady: true };
  const timing = new FilmTiming(spec.frames.length, spec.rate);
  const renderer = new FilmRenderer(spec, timing);
  const count = Math.ceil(timing.seconds * encoder.rate);
  try {
    let last = "";
    for (let i = 0; i < count; i++) {
      const key = renderer.pictureKey(i / encoder.rate);
      const second = i % encoder.rate === 0 && !encoder.still;
      // Skip unchanged pictures, but in a video repeat one every second and at the end.
      if (key !== last || second || (i === count - 1 && !encoder.still)) {
        if (key !== last) renderer.drawAt(i / encoder.rate);
        await encoder.addFrame(renderer.canvas, (1e3 * i) / encoder.rate, second);
      }
      last = key;
      progress((i + 1) / count);
      // Let the page run.
      await new Promise((done) => setTimeout(done));
      signal.throwIfAborted();
    }
    const seconds = count / encoder.rate;
    return { blob: await encoder.finish(1_000 * seconds), seconds };
  } finally {
    encoder.close();
    renderer.stop();
  }
}

/**
 * A film of some steps, drawn off screen and encoded frame by frame, as fast as the machine can. Recording
 * playback instead would silently drop steps on a slow machine or a hidden page.
 */

import { FilmTiming } from "./film-timing";
import { pixelDimensions } from "../../model/picture-sizes";
import { FilmEncoder, FRAME_RATE } from "./film-encoder";
import { FilmRenderer, type FilmSpec } from "./film-renderer";

/** A rendered film. */
interface Film {
  blob: Blob;
  seconds: number;
}

/**
 * Render the film; `progress` receives the finished fraction, 0 to 1.
 *
 * @throws the abort reason, or an Error if drawing or encoding fails.
 */
export async function renderFilm(
  spec: FilmSpec,
  signal: AbortSignal,
  progress: (share: number) => void,
): Promise<Film> {
  const encoder = await FilmEncoder.start(...pixelDimensions(spec.size));
  const timing = new FilmTiming(spec.frames.length, spec.rate);
  const renderer = new FilmRenderer(spec, timing);
  const count = Math.ceil(timing.seconds * FRAME_RATE);
  try {
    let last = "";
    for (let i = 0; i < count; i++) {
      const key = renderer.pictureKey(i / FRAME_RATE);
      const second = i % FRAME_RATE === 0;
      // Skip unchanged pictures, but repeat one every second and at the end.
      if (key !== last || second || i === count - 1) {
        if (key !== last) renderer.drawAt(i / FRAME_RATE);
        await encoder.addFrame(renderer.canvas, i, second);
      }
      last = key;
      progress((i + 1) / count);
      // Let the page run.
      await new Promise((done) => setTimeout(done));
      signal.throwIfAborted();
    }
    return { blob: await encoder.finish(), seconds: count / FRAME_RATE };
  } finally {
    encoder.close();
    renderer.stop();
  }
}

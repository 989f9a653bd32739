/** The export of a film: its progress and its result. */

import type { FilmFrame } from "../../map/export/film-renderer";
import type { Caption } from "../../map/export/caption";
import { lampColours } from "../../map/palette";
import type { PictureSize } from "../../model/picture-sizes";
import type { LiveRun } from "../../state/run/live-run.svelte";
import { fetchFilmSteps, stepsBetween, type FilmColouring } from "./film-frames";
import { filmColourScales } from "./film-colours";
import type { ColourScale } from "../../model/colour-scale";
import { failureText, t } from "../../strings";
import { caption as w } from "./caption.strings";
import { film } from "./film.strings";
import type { LayoutMethod } from "../../api/frames";
import { ApiError } from "../../api/failure";
import { captionLegend, litFact, lossFact, viewNotes } from "./caption";
import { loadExporters, NotLoadedError } from "../../ui/exporters";

interface FilmRequest extends FilmColouring {
  from: number;
  to: number;
  every: number;
  rate: number;
  steady: boolean;
  method: LayoutMethod;
  size: PictureSize;
}

interface FinishedFilm {
  url: string;
  blob: Blob;
  name: string;
  seconds: number;
}

export class FilmExport {
  /** The current stage, and its finished fraction from 0 to 1; null when idle. */
  progress = $state.raw<{ what: "fetching" | "drawing"; share: number } | null>(null);
  finished = $state.raw<FinishedFilm | null>(null);
  problem = $state("");
  private abort: AbortController | null = null;

  async create(run: LiveRun, request: FilmRequest) {
    const { vocabulary } = run;
    if (this.progress || !vocabulary) return;
    this.discard();
    const abort = (this.abort = new AbortController());
    const { signal } = abort;
    const report = (what: "fetching" | "drawing", share: number) => {
      this.progress = { what, share };
    };
    report("fetching", 0);
    try {
      const { fileName, renderFilm } = await loadExporters();
      const { from, to, every, rate, steady, method, size, by } = request;
      const steps = stepsBetween(from, to, every, (step) => run.heldAt(step));
      const fetched = await fetchFilmSteps(
        run.id,
        steps,
        method,
        run.reprojected,
        request,
        signal,
        (share) => report("fetching", share),
      );
      const filmSteps = fetched.map((one) => ({ ...one, districts: run.named(one.districts) }));
      const framesByStep = new Map(filmSteps.map((one, at) => [one.step, { ...one, at }]));
      const scales = filmColourScales(by, vocabulary, filmSteps);
      const legends = memoiseLast((one: ColourScale) => captionLegend(one, film.film.unknown));
      const caption = (shown: FilmFrame, lit: FilmFrame): Caption => {
        const { at, over } = framesByStep.get(shown.step)!;
        const { beat } = framesByStep.get(lit.step)!;
        const own = framesByStep.get(shown.step)!.beat;
        const all = vocabulary.tokens.length;
        return {
          title: w.learns(all),
          mark: t.product,
          facts: [
            run.name,
            w.step(shown.step),
            own ? lossFact(own) : "",
            beat ? litFact(beat, all) : w.none(all),
            lit === shown ? "" : film.film.lamps(lit.step),
          ],
          notes: [
            ...viewNotes(shown.layout),
            film.film.every(every),
            over ? film.film.moved(over.from, over.to) : "",
            w.relief,
          ],
          legend: legends(scales[at]!),
        };
      };
      const frames = filmSteps.map(({ step, layout, districts, beat }) => {
        const { ids, norms } = beat ?? { ids: new Uint32Array(), norms: new Float32Array() };
        return { step, layout, districts, ids, norms };
      });
      const lamps = memoiseLast((one: ColourScale) => lampColours(one, vocabulary));
      const tints = (at: number) => lamps(scales[at]!);
      const spec = { vocabulary, tints, frames, rate, steady, size, caption };
      const { blob, seconds } = await renderFilm(spec, signal, (share) => report("drawing", share));
      const name = fileName(run.id, ["steps", frames[0]!.step, steps.at(-1)!], "webm");
      this.finished = { url: URL.createObjectURL(blob), blob, name, seconds };
    } catch (error) {
      if (signal.aborted) return;
      console.warn("Lamplighter: no film.", error);
      this.problem = problemText(error);
    } finally {
      if (this.abort === abort) this.progress = null;
    }
  }

  cancel() {
    this.abort?.abort();
    this.progress = null;
  }

  /** Release the finished film, and clear the problem. */
  discard() {
    if (this.finished) URL.revokeObjectURL(this.finished.url);
    this.finished = null;
    this.problem = "";
  }

  close() {
    this.cancel();
    this.discard();
  }
}

/** Return the text of a problem that prevented the film. */
function problemText(error: unknown): string {
  if (error instanceof ApiError) return failureText(error.failure);
  return error instanceof NotLoadedError ? t.lazy.failed : film.film.failed;
}

/** Memoise `compute` for its last argument. */
function memoiseLast<From, To>(compute: (from: From) => To): (from: From) => To {
  let last: [From, To] | null = null;
  return (from) => (last?.[0] === from ? last : (last = [from, compute(from)]))[1];
}

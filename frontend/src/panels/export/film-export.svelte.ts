/** The export of a film: its progress and its result. */

import type { Shot } from "../../map/export/film";
import type { Caption } from "../../map/export/caption";
import { foundGroups } from "../../map/regions/districts";
import { lampBytes } from "../../map/palette";
import type { Size } from "../../model/picture-sizes";
import type { LiveRun } from "../../state/run/live-run.svelte";
import { reel, stepsOf, type Tinting } from "../../state/export/film-frames";
import { shadesOfReel } from "../../state/export/film-colours";
import type { Shades } from "../../model/shade";
import { failureText, fixed, t } from "../../strings";
import type { Method } from "../../api/frames";
import { Refusal } from "../../api/failure";
import { shownLine, type Vocabulary } from "../../api/vocabulary";
import { legendOf, viewNotes } from "./caption";

export interface Wish extends Tinting {
  from: number;
  to: number;
  every: number;
  rate: number;
  steady: boolean;
  method: Method;
  size: Size;
}

export interface Made {
  address: string;
  blob: Blob;
  name: string;
  seconds: number;
}

export class Filming {
  /** The stage in progress, and its finished share, 0 to 1; null when idle. */
  doing = $state.raw<{ what: "fetching" | "drawing"; share: number } | null>(null);
  made = $state.raw<Made | null>(null);
  problem = $state("");
  private abort: AbortController | null = null;

  async make(run: LiveRun, wish: Wish) {
    const { vocabulary } = run;
    if (this.doing || !vocabulary) return;
    this.forget();
    const abort = (this.abort = new AbortController());
    const { signal } = abort;
    const tell = (what: "fetching" | "drawing", share: number) => {
      this.doing = { what, share };
    };
    tell("fetching", 0);
    try {
      const { fileName, film } = await import("../../map/export");
      const { from, to, every, rate, steady, method, size, by } = wish;
      const steps = stepsOf(from, to, every);
      const reeled = await reel(run.id, steps, method, run.again, wish, signal, (share) =>
        tell("fetching", share),
      );
      const of = new Map(reeled.map((one, at) => [one.step, { ...one, at }]));
      const shades = shadesOfReel(by, vocabulary, reeled, (found) =>
        foundGroups(found, vocabulary).map(({ tint }) => tint),
      );
      const legends = lastOf((one: Shades) => legendOf(one, t.film.unknown));
      const caption = (shot: Shot, lit: Shot): Caption => {
        const { at, over } = of.get(shot.step)!;
        const { beat } = of.get(lit.step)!;
        const w = t.caption;
        return {
          title: shownLine(run.id),
          facts: [
            w.step(shot.step),
            w.loss(fixed(of.get(shot.step)!.beat.loss, 3)),
            w.lit(beat.rows.batch, vocabulary.tokens.length),
            lit === shot ? "" : t.film.lamps(lit.step),
          ],
          notes: [
            ...viewNotes(shot.layout),
            shot.layout.step > shot.step ? t.mapSwitch.otherTime(shot.layout.step) : "",
            t.film.every(every),
            over ? t.film.moved(over.from, over.to) : "",
            w.relief,
          ],
          legend: legends(shades[at]!),
        };
      };
      const shots = reeled.map(({ step, layout, districts, beat: { ids, norms } }) => {
        return { step, layout, districts, ids, norms };
      });
      const ranks = ranksOf(vocabulary);
      const lamps = lastOf((one: Shades) =>
        lampBytes(
          one.entries.map(({ shade }) => shade),
          one.of,
          ranks,
        ),
      );
      const tints = (at: number) => lamps(shades[at]!);
      const script = { vocabulary, tints, shots, rate, steady, size, caption };
      const { blob, seconds } = await film(script, signal, (share) => tell("drawing", share));
      const kind = blob.type === "image/png" ? "png" : "webm";
      const name = fileName(run.id, ["steps", from, steps.at(-1)!], kind);
      this.made = { address: URL.createObjectURL(blob), blob, name, seconds };
    } catch (error) {
      if (signal.aborted) return;
      console.warn("Lamplighter: no film.", error);
      this.problem = error instanceof Refusal ? failureText(error.failure) : t.film.failed;
    } finally {
      if (this.abort === abort) this.doing = null;
    }
  }

  cancel() {
    this.abort?.abort();
    this.doing = null;
  }

  /** Release the finished film, and clear the problem. */
  forget() {
    if (this.made) URL.revokeObjectURL(this.made.address);
    this.made = null;
    this.problem = "";
  }

  close() {
    this.cancel();
    this.forget();
  }
}

/** Rank the tokens by frequency: 1 for the most common, near 0 for the rarest. The index is the token id. */
function ranksOf({ byCount }: Vocabulary): Float32Array {
  const ranks = new Float32Array(byCount.length);
  byCount.forEach((id, i) => (ranks[id] = 1 - i / byCount.length));
  return ranks;
}

/** Memoise `make` for its last argument. */
function lastOf<From, To>(make: (from: From) => To): (from: From) => To {
  let last: [From, To] | null = null;
  return (from) => (last?.[0] === from ? last : (last = [from, make(from)]))[1];
}

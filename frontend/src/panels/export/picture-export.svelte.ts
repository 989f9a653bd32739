/** The export of pictures of the map, used by the map's button, the shortcut and the panel. */

import { getContext, setContext } from "svelte";
import type { Scene } from "../../map/scene/scene";
import { pixelsOf, sizeOf, type SizeName } from "../../model/picture-sizes";
import type { App } from "../../state/app-state.svelte";
import type { Shades } from "../../model/shade";
import { bytes, t } from "../../strings";
import { captionOf, stepOf } from "./caption";
import { download, share } from "../ui/download";

/** How long a message stays, in ms: a result, and a problem. */
const SHORT = 6_000;
const LONG = 15_000;

const KEY = Symbol("studio");

export type Format = "png" | "svg";

export class Studio {
  size = $state<SizeName>(innerWidth < 900 ? "screen" : "projector");
  busy = $state(false);
  /** The result of the last picture, for a while; `alarming` is set if there is no picture. */
  news = $state("");
  alarming = $state(false);
  scene = $state.raw<Scene | null>(null);

  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly app: App,
    readonly shades: () => Shades | null,
  ) {
    setContext(KEY, this);
  }

  /** Export a picture of what the map shows, to save it or to share it. */
  async take(format: Format, handing: "save" | "share" = "save") {
    const { app, scene } = this;
    const run = app.run;
    if (!run || !scene) {
      this.tell(t.pictures.nothing, true);
      return;
    }
    if (this.busy) return;
    this.busy = true;
    this.tell(t.pictures.busy);
    try {
      const { fileName, pngOf, svgBlobOf } = await import("../../map/export");
      // The caption matches the moment drawn, because no await separates the two.
      const caption = captionOf(app, run, this.shades());
      const size = sizeOf(this.size, scene.size);
      const step = stepOf(app, run);
      const name = fileName(run.id, ["step", step, pixelsOf(size).join("x")], format);
      const title = `${t.product}: ${caption.title}, ${t.caption.step(step)}`;
      const blob =
        format === "png"
          ? await pngOf(scene, caption, size)
          : svgBlobOf(scene, caption, size, title);
      if (!blob) this.tell(t.pictures.nothing, true);
      else if (handing === "share" && !(await share(blob, name))) {
        this.tell(t.pictures.notShared, true);
      } else {
        if (handing === "save") download(blob, name);
        this.tell(t.pictures.saved(name, bytes(blob.size)));
      }
    } catch (error) {
      console.warn("Lamplighter: no picture.", error);
      this.tell(t.pictures.failed, true);
    } finally {
      this.busy = false;
    }
  }

  private tell(news: string, alarming = false) {
    clearTimeout(this.timer);
    this.news = news;
    this.alarming = alarming;
    this.timer = setTimeout(() => (this.news = ""), alarming ? LONG : SHORT);
  }
}

export function studio(): Studio {
  return getContext<Studio>(KEY);
}

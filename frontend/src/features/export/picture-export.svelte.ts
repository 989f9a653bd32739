/** The export of pictures of the map, used by the map's button, the shortcut and the panel. */

import { getContext, setContext } from "svelte";
import type { Scene } from "../../map/scene/scene";
import { pixelDimensions, pictureSize, type PictureSizeName } from "../../model/picture-sizes";
import type { OpenRun } from "../../state/run/open-run.svelte";
import type { ColourScale } from "../../model/colour-scale";
import { ApiError } from "../../api/failure";
import { bytes, failureText, t } from "../../strings";
import { downloadFile, shareFile } from "../../ui/download";
import { awaitCode, loadExporters, NotLoadedError } from "../../ui/exporters";

/** Display time of a message in ms: a result, and a problem. */
const RESULT_DURATION = 6_000;
const PROBLEM_DURATION = 15_000;

const CONTEXT_KEY = Symbol("picture export");

type Delivery = "save" | "share";

export class PictureExport {
  size = $state<PictureSizeName>(innerWidth < 900 ? "screen" : "projector");
  busy = $state(false);
  /** The result of the last picture, displayed for a while; `failed` is set if there is no picture. */
  message = $state("");
  failed = $state(false);
  scene = $state.raw<Scene | null>(null);

  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly openRun: OpenRun,
    readonly scale: () => ColourScale | null,
  ) {
    setContext(CONTEXT_KEY, this);
  }

  /** Set the scene that pictures are drawn from; null: none. */
  setScene(scene: Scene | null) {
    this.scene = scene;
  }

  chooseSize(size: PictureSizeName) {
    this.size = size;
  }

  /** Export the displayed map as a picture, to save or to share. */
  exportPicture(delivery: Delivery = "save") {
    return this.deliver(delivery, async () => {
      const { openRun, scene } = this;
      const { run } = openRun;
      if (!run || !scene) return null;
      const [{ fileName, pngOf }, { pictureCaption, pictureStep }] = await Promise.all([
        loadExporters(),
        awaitCode(import("./caption")),
      ]);
      // No await separates the two, so the caption matches the drawn moment.
      const { layout } = openRun;
      const caption = pictureCaption(run, layout, this.scale());
      const size = pictureSize(this.size, scene.size);
      const step = pictureStep(run, layout);
      const name = fileName(run.id, ["step", step, pixelDimensions(size).join("x")], "png");
      const blob = await pngOf(scene, caption, size);
      return blob && { blob, name };
    });
  }

  /** Draw a picture, and save or share it; null: there is nothing to draw. */
  async deliver(delivery: Delivery, draw: () => Promise<{ blob: Blob; name: string } | null>) {
    if (this.busy) return;
    this.busy = true;
    this.setMessage(t.picture.busy);
    try {
      const drawn = await draw();
      if (!drawn) {
        this.setMessage(t.picture.nothing, true);
        return;
      }
      const { blob, name } = drawn;
      if (delivery === "share" && !(await shareFile(blob, name))) {
        this.setMessage(t.picture.notShared, true);
        return;
      }
      if (delivery === "save") downloadFile(blob, name);
      this.setMessage(t.picture.saved(name, bytes(blob.size)));
    } catch (error) {
      console.warn("Lamplighter: no picture.", error);
      if (error instanceof ApiError) this.setMessage(failureText(error.failure), true);
      else
        this.setMessage(error instanceof NotLoadedError ? t.lazy.failed : t.picture.failed, true);
    } finally {
      this.busy = false;
    }
  }

  private setMessage(message: string, failed = false) {
    clearTimeout(this.timer);
    this.message = message;
    this.failed = failed;
    this.timer = setTimeout(() => (this.message = ""), failed ? PROBLEM_DURATION : RESULT_DURATION);
  }
}

export function usePictureExport(): PictureExport {
  return getContext<PictureExport>(CONTEXT_KEY);
}

/** Which token is nearest to a point of the map: a grid of buckets. Pure. */

import type { View } from "./placement";

export class Picker {
  private readonly side: number;
  private readonly starts: Uint32Array;
  private readonly ids: Uint32Array;

  constructor(
    private readonly xy: Float32Array,
    private readonly box: View,
  ) {
    const count = xy.length / 2;
    this.side = Math.max(1, Math.min(256, Math.round(Math.sqrt(count / 2))));
    const cells = new Uint32Array(count);
    this.starts = new Uint32Array(this.side * this.side + 1);
    for (let id = 0; id < count; id++) {
      cells[id] = this.row(xy[2 * id + 1]!) * this.side + this.column(xy[2 * id]!);
      this.starts[cells[id]! + 1]! += 1;
    }
    for (let cell = 1; cell < this.starts.length; cell++) {
      this.starts[cell]! += this.starts[cell - 1]!;
    }
    const next = this.starts.slice();
    this.ids = new Uint32Array(count);
    for (let id = 0; id < count; id++) this.ids[next[cells[id]!]!++] = id;
  }

  /** The nearest token within the ellipse of radii `rx`, `ry` about (x, y), or null. */
  nearest(x: number, y: number, rx: number, ry: number): number | null {
    let best: number | null = null;
    let least = 1;
    for (let row = this.row(y - ry); row <= this.row(y + ry); row++) {
      for (let column = this.column(x - rx); column <= this.column(x + rx); column++) {
        const cell = row * this.side + column;
        for (let i = this.starts[cell]!; i < this.starts[cell + 1]!; i++) {
          const id = this.ids[i]!;
          const far = ((this.xy[2 * id]! - x) / rx) ** 2 + ((this.xy[2 * id + 1]! - y) / ry) ** 2;
          if (far <= least) [least, best] = [far, id];
        }
      }
    }
    return best;
  }

  private column(x: number): number {
    return this.cell((x - this.box.x0) / (this.box.x1 - this.box.x0));
  }

  private row(y: number): number {
    return this.cell((y - this.box.y0) / (this.box.y1 - this.box.y0));
  }

  private cell(part: number): number {
    return Math.max(0, Math.min(this.side - 1, Math.floor(part * this.side)));
  }
}

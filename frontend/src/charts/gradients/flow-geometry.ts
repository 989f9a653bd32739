/**
 * The outlines of the gradient flow: from the loss through the layers down to the embedding. Pure.
 *
 * Each layer has one known number, its norm, which is the width of the flow there; between layers the width
 * is interpolated.
 */

interface FlowSection {
  name: string;
  norm: number;
  /** Row from the top; the loss is at 0. */
  y: number;
  /** Position of the middle, in units of the norm. */
  x: number;
}

interface FlowGeometry {
  sections: FlowSection[];
  /** Closed outlines: the main flow, then the arms that leave it. */
  outlines: { x: number[]; y: number[] }[];
  /** A round number, no less than the greatest width of the flow. */
  scale: number;
}

/** Layers drawn as arms of the flow: positions and token embeddings are added where the model begins. */
const BRANCH_LAYERS = /^positions?$/;
const CURVE_POINTS = 10;

/**
 * Lay out the flow. `layers` are names from the embedding to the output, `norms` the norm of each; a norm
 * that is not a positive finite number has width 0.
 */
export function flowGeometry(layers: string[], norms: number[]): FlowGeometry {
  const widths = norms.map((norm) => (Number.isFinite(norm) && norm > 0 ? norm : 0));
  const scale = roundUpNicely(Math.max(0, ...widths));
  const names = norms.map((_, i) => layers[i] ?? String(i));
  // From the loss to the embedding, as the gradient flows.
  const order = norms.map((_, i) => norms.length - 1 - i);
  // An arm needs a main flow to leave.
  const isBranch = (i: number) => BRANCH_LAYERS.test(names[i]!) && i > 0 && i < norms.length - 1;
  const sections = order.map((i, index): FlowSection => {
    const aside = isBranch(i) ? 0.5 * scale + 0.5 * Math.max(widths[i]!, 0.2 * scale) : 0;
    return { name: names[i]!, norm: norms[i]!, y: index + 1, x: aside };
  });
  const width = (index: number) => widths[order[index]!]!;
  const main = sections.flatMap((section, index) =>
    section.x ? [] : [{ ...section, width: width(index) }],
  );
  if (!main.length) return { sections, outlines: [], scale };
  const outlines = [traceOutline([{ x: 0, y: 0.1, width: 0 }, ...main])];
  sections.forEach((section, index) => {
    const from = sections.slice(0, index).findLast(({ x }) => !x);
    if (!section.x || !from) return;
    const half = width(sections.indexOf(from)) / 2;
    outlines.push(
      traceOutline([
        { x: half / 2, y: from.y, width: Math.min(half, width(index)) },
        { x: section.x, y: section.y, width: width(index) },
      ]),
    );
  });
  return { sections, outlines, scale };
}

interface CrossSection {
  x: number;
  y: number;
  width: number;
}

/**
 * Trace one side down and the other back up, smoothly from section to section. The sides are parallel at each
 * section, so the flow never exceeds the widths around it.
 */
function traceOutline(sections: CrossSection[]): { x: number[]; y: number[] } {
  const [left, right, ys]: [number[], number[], number[]] = [[], [], []];
  sections.forEach((section, index) => {
    const next = sections[index + 1];
    for (let point = 0; point < (next ? CURVE_POINTS : 1); point++) {
      const part = point / CURVE_POINTS;
      const ease = part * part * (3 - 2 * part);
      const between = (a: number, b: number) => a + (b - a) * ease;
      const x = between(section.x, next?.x ?? section.x);
      const half = between(section.width, next?.width ?? section.width) / 2;
      left.push(x - half);
      right.push(x + half);
      ys.push(section.y + part * ((next?.y ?? section.y) - section.y));
    }
  });
  return { x: [...left, ...right.reverse()], y: [...ys, ...ys.slice().reverse()] };
}

/** Round up to 1, 2 or 5 times a power of ten; return 1 for a number that is not positive and finite. */
function roundUpNicely(value: number): number {
  if (!(value > 0) || !Number.isFinite(value)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((part) => part * power).find((round) => round >= value * 0.999999)!;
}

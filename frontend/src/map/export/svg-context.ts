/** A drawing context that records strokes and texts as SVG elements. Pure. */

import type { DrawingContext } from "../overlay/drawing-context";

/** Escape a text for XML 1.0, without characters that it cannot hold. */
export function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r -\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** Format a number with at most one decimal, which is enough for a picture. */
export function formatNumber(value: number): string {
  return Number.isFinite(value) ? String(Math.round(value * 10) / 10) : "0";
}

/** The recorder of one group of SVG elements. */
export class SvgContext implements DrawingContext {
  globalAlpha = 1;
  fillStyle: string | CanvasGradient | CanvasPattern = "#000000";
  strokeStyle: string | CanvasGradient | CanvasPattern = "#000000";
  lineWidth = 1;
  lineJoin: CanvasLineJoin = "miter";
  lineCap: CanvasLineCap = "butt";
  font = "10px sans-serif";
  textAlign: CanvasTextAlign = "left";
  textBaseline: CanvasTextBaseline = "alphabetic";

  /** The elements, in drawing order. */
  readonly elements: string[] = [];
  private path = "";
  private dashes: number[] = [];

  // The context draws in the picture's own units on an empty page: nothing to scale, nothing to clear.
  setTransform() {}
  clearRect() {}

  setLineDash(dashes: Iterable<number>) {
    this.dashes = [...dashes];
  }

  beginPath() {
    this.path = "";
  }

  closePath() {
    this.path += "Z";
  }

  moveTo(x: number, y: number) {
    this.path += `M${formatNumber(x)} ${formatNumber(y)}`;
  }

  lineTo(x: number, y: number) {
    this.path += `${this.path ? "L" : "M"}${formatNumber(x)} ${formatNumber(y)}`;
  }

  rect(x: number, y: number, width: number, height: number) {
    const [w, h] = [formatNumber(width), formatNumber(height)];
    this.path += `M${formatNumber(x)} ${formatNumber(y)}h${w}v${h}h-${w}Z`;
  }

  arc(x: number, y: number, radius: number, from: number, to: number, backwards = false) {
    const at = (angle: number) =>
      `${formatNumber(x + radius * Math.cos(angle))} ${formatNumber(y + radius * Math.sin(angle))}`;
    const sweep = backwards ? 0 : 1;
    const r = formatNumber(radius);
    const way = Math.abs(to - from);
    this.path += `${this.path && !this.path.endsWith("Z") && way < 2 * Math.PI ? "L" : "M"}${at(from)}`;
    if (way >= 2 * Math.PI - 1e-6) {
      this.path += `A${r} ${r} 0 1 ${sweep} ${at(from + Math.PI)}A${r} ${r} 0 1 ${sweep} ${at(from)}Z`;
    } else {
      this.path += `A${r} ${r} 0 ${way > Math.PI ? 1 : 0} ${sweep} ${at(to)}`;
    }
  }

  stroke() {
    if (this.path) this.elements.push(`<path d="${this.path}" ${this.outline()}/>`);
  }

  fill() {
    if (this.path) this.elements.push(`<path d="${this.path}" ${this.inside()}/>`);
  }

  fillRect(x: number, y: number, width: number, height: number) {
    this.elements.push(`<rect ${box(x, y, width, height)} ${this.inside()}/>`);
  }

  strokeRect(x: number, y: number, width: number, height: number) {
    this.elements.push(`<rect ${box(x, y, width, height)} ${this.outline()}/>`);
  }

  /** Record the dark edge that separates text from the lamps; `fillText` writes the text itself. */
  strokeText(text: string, x: number, y: number) {
    this.write(text, x, y, `aria-hidden="true" ${this.outline()}`);
  }

  fillText(text: string, x: number, y: number) {
    this.write(text, x, y, this.inside());
  }

  private write(text: string, x: number, y: number, how: string) {
    const [, weight = "400", size = "10"] = /^(?:(\w+) )?([\d.]+)px/.exec(this.font) ?? [];
    // Other programs know only the alphabetic baseline.
    const down = this.textBaseline === "middle" ? 0.35 * Number(size) : 0;
    const anchor = { center: "middle", right: "end", end: "end", left: "", start: "" }[
      this.textAlign
    ];
    this.elements.push(
      `<text x="${formatNumber(x)}" y="${formatNumber(y + down)}" font-size="${formatNumber(Number(size))}"` +
        (weight === "400" ? "" : ` font-weight="${escapeXml(weight)}"`) +
        (anchor ? ` text-anchor="${anchor}"` : "") +
        ` ${how}>${escapeXml(text)}</text>`,
    );
  }

  private inside(): string {
    const [colour, alpha] = inkOf(this.fillStyle, this.globalAlpha);
    return `fill="${colour}"${alpha < 1 ? ` fill-opacity="${alpha}"` : ""}`;
  }

  private outline(): string {
    const [colour, alpha] = inkOf(this.strokeStyle, this.globalAlpha);
    return (
      `fill="none" stroke="${colour}" stroke-width="${formatNumber(this.lineWidth)}"` +
      (this.lineJoin === "miter" ? "" : ` stroke-linejoin="${this.lineJoin}"`) +
      (this.lineCap === "butt" ? "" : ` stroke-linecap="${this.lineCap}"`) +
      (this.dashes.length ? ` stroke-dasharray="${this.dashes.map(formatNumber).join(" ")}"` : "") +
      (alpha < 1 ? ` stroke-opacity="${alpha}"` : "")
    );
  }
}

function box(x: number, y: number, width: number, height: number): string {
  return `x="${formatNumber(x)}" y="${formatNumber(y)}" width="${formatNumber(width)}" height="${formatNumber(height)}"`;
}

/** Return a colour that old programs understand, and its opacity. */
function inkOf(style: unknown, alpha: number): [string, number] {
  const text = String(style);
  const parts = /^rgba?\(([^)]*)\)$/
    .exec(text)?.[1]
    ?.split(/[\s,/]+/)
    .map(Number);
  const opaque = Math.round(alpha * (parts?.[3] ?? 1) * 100) / 100;
  if (!parts) return [escapeXml(text), opaque];
  const hex = parts.slice(0, 3).map((part) => Math.round(part).toString(16).padStart(2, "0"));
  return [`#${hex.join("")}`, opaque];
}

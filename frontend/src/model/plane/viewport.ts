/** The visible part of the map, and the part of the page that shows it. Pure. */

/** A rectangle of the map: a view, or the bounds of a layout. */
export interface MapRect {
  x0: number;
  x1: number;
  y0: number;
  y1: number;
}

/** The view before there is a map. */
export const UNIT_SQUARE: Readonly<MapRect> = { x0: 0, x1: 1, y0: 0, y1: 1 };

/** The rectangle of the page that a map fills, in CSS pixels. */
export interface PageRect {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Split a rectangle in two halves: side by side, or one above the other if it is higher than wide. */
export function halvesOf({ left, top, width, height }: PageRect): [PageRect, PageRect] {
  if (height > width) {
    const half = height / 2;
    return [
      { left, top, width, height: half },
      { left, top: top + half, width, height: half },
    ];
  }
  const half = width / 2;
  return [
    { left, top, width: half, height },
    { left: left + half, top, width: half, height },
  ];
}

/** The width covered at each edge of a picture, in pixels. */
export interface Insets {
  top: number;
  right: number;
  bottom: number;
  left: number;
}

/** Return the uncovered part of a picture of `width` by `height` pixels. */
export function uncoveredPart(
  width: number,
  height: number,
  { top, right, bottom, left }: Insets,
): PixelRect {
  return { left, top, right: width - right, bottom: height - bottom };
}

/** A rectangle of the picture, in pixels. */
export interface PixelRect {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** A part of the map, shown in a picture of a size in pixels. */
export interface Viewport {
  view: MapRect;
  width: number;
  height: number;
}

/** Return the pixel at which a map position is drawn, from the picture's left and top edge. */
export function toPixel(
  { view, width, height }: Viewport,
  [x, y]: readonly [number, number],
): [number, number] {
  return [
    ((x - view.x0) / (view.x1 - view.x0)) * width,
    (1 - (y - view.y0) / (view.y1 - view.y0)) * height,
  ];
}

/** Return the map position at a pixel. */
export function toMapPosition(viewport: Viewport, x: number, y: number): [number, number] {
  const [ux, uy] = unitsPerPixel(viewport);
  return [viewport.view.x0 + x * ux, viewport.view.y1 - y * uy];
}

/** Return the map units that a pixel covers, from left to right and from top to bottom. */
export function unitsPerPixel({ view, width, height }: Viewport): [number, number] {
  return [(view.x1 - view.x0) / width, (view.y1 - view.y0) / height];
}

/**
 * Return the view that shows `box` in the uncovered part of a picture of `width` by `height` pixels. Both axes
 * have one scale, so that what is near on the map does not depend on the shape of the window.
 */
export function fitView(box: MapRect, width: number, height: number, insets: Insets): MapRect {
  const freeWidth = Math.max(80, width - insets.left - insets.right);
  const freeHeight = Math.max(80, height - insets.top - insets.bottom);
  const unit = Math.max((box.x1 - box.x0) / freeWidth, (box.y1 - box.y0) / freeHeight);
  const cx = (box.x0 + box.x1) / 2 - ((insets.left - insets.right) / 2) * unit;
  const cy = (box.y0 + box.y1) / 2 + ((insets.top - insets.bottom) / 2) * unit;
  return {
    x0: cx - (unit * width) / 2,
    x1: cx + (unit * width) / 2,
    y0: cy - (unit * height) / 2,
    y1: cy + (unit * height) / 2,
  };
}

/** Return `view` enlarged (factor above 1) or shrunk about a point, given as fractions of the picture. */
export function zoomView(view: MapRect, factor: number, px = 0.5, py = 0.5): MapRect {
  const x = view.x0 + (view.x1 - view.x0) * px;
  const y = view.y0 + (view.y1 - view.y0) * py;
  return {
    x0: x + (view.x0 - x) * factor,
    x1: x + (view.x1 - x) * factor,
    y0: y + (view.y0 - y) * factor,
    y1: y + (view.y1 - y) * factor,
  };
}

/** Relative change of a fitted view below which nothing moves: less than the margin around the lamps. */
export const SETTLED = 0.03;

/** Return the difference of two views, as a fraction of the first. */
export function viewDifference(a: MapRect, b: MapRect): number {
  const [w, h] = [a.x1 - a.x0, a.y1 - a.y0];
  return Math.max(
    Math.abs(a.x0 - b.x0) / w,
    Math.abs(a.x1 - b.x1) / w,
    Math.abs(a.y0 - b.y0) / h,
    Math.abs(a.y1 - b.y1) / h,
  );
}

/** Return the rectangle that appears in the view `to` where `rect` appears in `from`. */
export function rectInView(rect: MapRect, from: MapRect, to: MapRect): MapRect {
  const [sx, sy] = [(to.x1 - to.x0) / (from.x1 - from.x0), (to.y1 - to.y0) / (from.y1 - from.y0)];
  return {
    x0: to.x0 + (rect.x0 - from.x0) * sx,
    x1: to.x0 + (rect.x1 - from.x0) * sx,
    y0: to.y0 + (rect.y0 - from.y0) * sy,
    y1: to.y0 + (rect.y1 - from.y0) * sy,
  };
}

/** Return the rectangle a fraction `mixing` of the way from `a` to `b`. */
export function mixViews(a: MapRect, b: MapRect, mixing: number): MapRect {
  const mix = (from: number, to: number) => from + (to - from) * mixing;
  return {
    x0: mix(a.x0, b.x0),
    x1: mix(a.x1, b.x1),
    y0: mix(a.y0, b.y0),
    y1: mix(a.y1, b.y1),
  };
}

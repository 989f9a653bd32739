/** The camera of the skyline: where it is at home, and how keys, buttons and fingers move it. Pure. */

import type { MapRect } from "../../model/viewport";

/** The camera as Plotly describes it. */
export interface SkylineCamera {
  eye: Point;
  center: Point;
  up: Point;
}

/** Height visible at unit distance in Plotly's perspective, which spans 45 degrees from bottom to top. */
const SEEN = 2 * Math.tan(Math.PI / 8);

/** Least and greatest tilt: the angle at which the camera looks down, from the horizon, in radians. */
const LOWEST = (5 * Math.PI) / 180;
const HIGHEST = (85 * Math.PI) / 180;
/** How far the camera's target may be from the middle in each direction; below is the ground. */
const REACH = { x: [-1, 1], y: [-1, 1], z: [-0.25, 0.5] } as const;

interface Point {
  x: number;
  y: number;
  z: number;
}

export const HOME_CAMERA: SkylineCamera = {
  eye: { x: 0.2, y: -1.16, z: 0.62 },
  center: { x: 0, y: 0.02, z: -0.12 },
  up: { x: 0, y: 0, z: 1 },
};

/** Return the camera that shows everything in a picture of this size: the narrower, the farther away. */
export function homeCamera(width: number, height: number): SkylineCamera {
  return orbitCamera(
    HOME_CAMERA,
    0,
    0,
    Math.max(1, Math.min(2.2, (1.45 * height) / Math.max(1, width))),
  );
}

/**
 * Return the camera rotated about the map by degrees, tilted by degrees, and moved nearer (factor below 1) or
 * farther away; never beneath the ground.
 */
export function orbitCamera(
  camera: SkylineCamera,
  turn: number,
  tilt: number,
  factor = 1,
): SkylineCamera {
  const { eye, center } = camera;
  const [dx, dy, dz] = [eye.x - center.x, eye.y - center.y, eye.z - center.z];
  const flat = Math.hypot(dx, dy);
  const far = clamp(factor * Math.hypot(flat, dz), 0.3, 6);
  const round = Math.atan2(dy, dx) + (turn * Math.PI) / 180;
  const up = clamp(Math.atan2(dz, flat) + (tilt * Math.PI) / 180, LOWEST, HIGHEST);
  return {
    center,
    up: HOME_CAMERA.up,
    eye: {
      x: center.x + far * Math.cos(up) * Math.cos(round),
      y: center.y + far * Math.cos(up) * Math.sin(round),
      z: center.z + far * Math.sin(up),
    },
  };
}

function clamp(value: number, least: number, greatest: number): number {
  return Math.max(least, Math.min(greatest, value));
}

/**
 * Return the camera and its target moved to the right and up as seen, in shares of the picture's height; the target
 * stays above the ground and near the map.
 */
export function panCamera(
  { eye, center, up }: SkylineCamera,
  right: number,
  above: number,
): SkylineCamera {
  const [dx, dy, dz] = [center.x - eye.x, center.y - eye.y, center.z - eye.z];
  const flat = Math.hypot(dx, dy) || 1e-9;
  const far = Math.hypot(flat, dz);
  const [rx, ry] = [dy / flat, -dx / flat];
  // The world height that the picture covers at the target's distance.
  const [r, u] = [right * SEEN * far, above * SEEN * far];
  const to = (axis: keyof Point, by: number) =>
    clamp(center[axis] + by, REACH[axis][0], REACH[axis][1]) - center[axis];
  const by = {
    x: to("x", r * rx + (u * ry * dz) / far),
    y: to("y", r * ry - (u * rx * dz) / far),
    z: to("z", (u * flat) / far),
  };
  const add = (point: Point) => ({ x: point.x + by.x, y: point.y + by.y, z: point.z + by.z });
  return { eye: add(eye), center: add(center), up };
}

/** Degrees by which an arrow key turns and tilts the camera, and the share of its distance that plus leaves. */
const TURN = 8;
const TILT = 5;
const CLOSER = 0.8;

/** Return the camera after a key; null for a key that does not move it. */
export function cameraAfterKey(key: string, camera: SkylineCamera): SkylineCamera | null {
  switch (key) {
    case "ArrowLeft":
      return orbitCamera(camera, -TURN, 0);
    case "ArrowRight":
      return orbitCamera(camera, TURN, 0);
    case "ArrowUp":
      return orbitCamera(camera, 0, TILT);
    case "ArrowDown":
      return orbitCamera(camera, 0, -TILT);
    case "+":
    case "=":
      return orbitCamera(camera, 0, 0, CLOSER);
    case "-":
      return orbitCamera(camera, 0, 0, 1 / CLOSER);
    default:
      return null;
  }
}

/**
 * Return the camera after a gesture that took the unit square to `to`, in a picture of proportions `aspect`
 * (width by height): one finger, or the mouse, rotates; two fingers zoom and pan.
 */
export function cameraAfterGesture(
  { x0, x1, y0, y1 }: MapRect,
  fingers: number,
  camera: SkylineCamera,
  aspect: number,
): SkylineCamera {
  const [right, up] = [(x0 + x1 - 1) / 2, (y0 + y1 - 1) / 2];
  if (fingers === 1) return orbitCamera(camera, 180 * right, 120 * up);
  return panCamera(orbitCamera(camera, 0, 0, x1 - x0), right * aspect, up);
}

import { describe, expect, it } from "vitest";
import {
  cameraAfterKey,
  cameraAfterGesture,
  HOME_CAMERA,
  homeCamera,
  orbitCamera,
  panCamera,
} from "./orbit-camera";

describe("the camera of the skyline", () => {
  it("is turned and tilted about the city, never under the ground or through the top", () => {
    const far = (camera: typeof HOME_CAMERA) =>
      Math.hypot(
        camera.eye.x - camera.center.x,
        camera.eye.y - camera.center.y,
        camera.eye.z - camera.center.z,
      );
    let camera = orbitCamera(HOME_CAMERA, 90, 0);
    expect(far(camera)).toBeCloseTo(far(HOME_CAMERA), 6);
    for (let i = 0; i < 3; i++) camera = orbitCamera(camera, 90, 0);
    expect(camera.eye.x).toBeCloseTo(HOME_CAMERA.eye.x, 6);
    for (const tilt of [500, -500]) {
      const { eye, center } = orbitCamera(HOME_CAMERA, 0, tilt);
      expect(eye.z).toBeGreaterThan(center.z);
      expect(Math.hypot(eye.x - center.x, eye.y - center.y)).toBeGreaterThan(0.01);
    }
    expect(far(orbitCamera(HOME_CAMERA, 0, 0, 0.5))).toBeCloseTo(far(HOME_CAMERA) / 2, 6);
    expect(far(homeCamera(1_280, 540))).toBeCloseTo(far(HOME_CAMERA), 6);
    expect(far(homeCamera(390, 500))).toBeGreaterThan(1.5 * far(HOME_CAMERA));
  });

  it("obeys arrow keys, plus and minus, and no others", () => {
    const left = cameraAfterKey("ArrowLeft", HOME_CAMERA)!;
    expect(cameraAfterKey("ArrowRight", left)!.eye.x).toBeCloseTo(HOME_CAMERA.eye.x, 6);
    expect(cameraAfterKey("ArrowUp", HOME_CAMERA)!.eye.z).toBeGreaterThan(HOME_CAMERA.eye.z);
    const closer = cameraAfterKey("+", HOME_CAMERA)!;
    expect(cameraAfterKey("=", HOME_CAMERA)).toEqual(closer);
    expect(cameraAfterKey("-", closer)!.eye.y).toBeCloseTo(HOME_CAMERA.eye.y, 6);
    expect([cameraAfterKey("a", HOME_CAMERA), cameraAfterKey("Home", HOME_CAMERA)]).toEqual([
      null,
      null,
    ]);
  });

  it("turns with one finger, and comes closer with two", () => {
    const pulled = { x0: 0.25, x1: 1.25, y0: 0, y1: 1 };
    expect(cameraAfterGesture(pulled, 1, HOME_CAMERA, 2)).toEqual(orbitCamera(HOME_CAMERA, 45, 0));
    const pinched = { x0: 0.25, x1: 0.75, y0: 0.25, y1: 0.75 };
    expect(cameraAfterGesture(pinched, 2, HOME_CAMERA, 2)).toEqual(
      orbitCamera(HOME_CAMERA, 0, 0, 0.5),
    );
  });
});

describe("the tilt of the camera", () => {
  const tilt = ({ eye, center }: typeof HOME_CAMERA) =>
    (Math.atan2(eye.z - center.z, Math.hypot(eye.x - center.x, eye.y - center.y)) * 180) / Math.PI;
  const ways = {
    keys: (camera: typeof HOME_CAMERA, up: boolean) =>
      cameraAfterKey(up ? "ArrowUp" : "ArrowDown", camera)!,
    "a hand": (camera: typeof HOME_CAMERA, up: boolean) => {
      const by = up ? 0.2 : -0.2;
      return cameraAfterGesture({ x0: 0.03, x1: 1.03, y0: by, y1: 1 + by }, 1, camera, 2);
    },
  };

  it.each(Object.entries(ways))("is between 5 and 85 degrees, whatever %s do", (_, move) => {
    for (const up of [true, false]) {
      let camera = HOME_CAMERA;
      for (let i = 0; i < 30; i++) {
        camera = move(camera, up);
        expect(tilt(camera)).toBeGreaterThan(4.999);
        expect(tilt(camera)).toBeLessThan(85.001);
      }
      expect(tilt(camera)).toBeCloseTo(up ? 85 : 5, 6);
    }
  });

  it("stays above the ground, wherever it is shifted to", () => {
    for (const [x, y] of [
      [0, -1],
      [0, 1],
      [1, 0],
    ] as const) {
      let camera = orbitCamera(HOME_CAMERA, 0, -90);
      const far = Math.hypot(camera.eye.x - camera.center.x, camera.eye.y - camera.center.y);
      for (let i = 0; i < 30; i++) {
        camera = cameraAfterGesture({ x0: x, x1: 1 + x, y0: y, y1: 1 + y }, 2, camera, 2);
        expect(camera.eye.z).toBeGreaterThan(-0.25);
      }
      expect(Math.max(...Object.values(camera.center).map(Math.abs))).toBeLessThanOrEqual(1);
      expect(
        Math.hypot(camera.eye.x - camera.center.x, camera.eye.y - camera.center.y),
      ).toBeCloseTo(far);
    }
  });
});

describe("a shifted camera", () => {
  it("looks the same way from as far, and sees a point to the right of the middle there", () => {
    const before = orbitCamera(HOME_CAMERA, 30, 10);
    const after = panCamera(before, 0.5, 0.25);
    const way = ({ eye, center }: typeof before) =>
      [center.x - eye.x, center.y - eye.y, center.z - eye.z] as const;
    way(after).forEach((part, i) => expect(part).toBeCloseTo(way(before)[i]!));
    // It moves at a right angle to the direction of sight, and half to the right as much as a quarter up.
    const [dx, dy, dz] = way(before);
    const went = [
      after.eye.x - before.eye.x,
      after.eye.y - before.eye.y,
      after.eye.z - before.eye.z,
    ];
    expect(went[0]! * dx + went[1]! * dy + went[2]! * dz).toBeCloseTo(0);
    const right = (went[0]! * dy - went[1]! * dx) / Math.hypot(dx, dy);
    expect(right / Math.hypot(...went)).toBeCloseTo(2 / Math.sqrt(5));
    expect(went[2]).toBeGreaterThan(0);
  });
});

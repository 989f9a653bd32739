/** The test for WebGL, made before the code of the skyline is loaded. */

let webglAvailable: boolean | undefined;

/** Return whether this browser has WebGL, without which Plotly draws nothing in 3-D. */
export function canDrawSkyline(): boolean {
  webglAvailable ??= document.createElement("canvas").getContext("webgl") !== null;
  return webglAvailable;
}

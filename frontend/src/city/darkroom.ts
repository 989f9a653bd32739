/** Pictures and films, loaded when the first is asked for. */

export { fileName } from "./filename";
export { film } from "./film";
export { pngOf, svgBlobOf } from "./picture";

/** Export of pictures and films, loaded on first use. */

export { fileName } from "./file-name";
export { film } from "./film";
export { pngOf, svgBlobOf } from "./picture";

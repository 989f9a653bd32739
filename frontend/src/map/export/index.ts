/** Export of pictures and films, loaded on first use. */

export { fileName } from "./file-name";
export { renderFilm } from "./film";
export { pngOf } from "./picture";
export { thenAndNowOf } from "./then-and-now";

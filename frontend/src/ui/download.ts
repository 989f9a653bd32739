/** Downloading and sharing of files that the page made. */

/** Delay before a file is released, in ms: every browser has started the download by then. */
const RELEASE_DELAY = 60_000;

export function downloadFile(blob: Blob, name: string) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), RELEASE_DELAY);
}

/** Return whether this browser can share files of a type with other applications, as phones do. */
export function canShareFiles(type: string): boolean {
  const file = new File([""], `some.${type.split("/")[1]}`, { type });
  return typeof navigator.canShare === "function" && navigator.canShare({ files: [file] });
}

/** Share a file with another application. Returns false on failure, but true if the viewer cancels. */
export async function shareFile(blob: Blob, name: string): Promise<boolean> {
  try {
    await navigator.share({ files: [new File([blob], name, { type: blob.type })] });
    return true;
  } catch (error) {
    return (error as Error).name === "AbortError";
  }
}

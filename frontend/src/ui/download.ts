/** Download and sharing of files that the page itself made. */

/** Delay before a file is released, in ms: any browser has started the download by then. */
const RELEASE_DELAY = 60_000;

export function downloadFile(blob: Blob, name: string) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), RELEASE_DELAY);
}

/** Return whether this browser can hand files of a type to other applications, as phones do. */
export function canShareFiles(type: string): boolean {
  const file = new File([""], `some.${type.split("/")[1]}`, { type });
  return typeof navigator.canShare === "function" && navigator.canShare({ files: [file] });
}

/** Hand a file to another application. Returns false on failure, but true if the viewer cancels. */
export async function shareFile(blob: Blob, name: string): Promise<boolean> {
  try {
    await navigator.share({ files: [new File([blob], name, { type: blob.type })] });
    return true;
  } catch (error) {
    return (error as Error).name === "AbortError";
  }
}

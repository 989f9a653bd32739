/** Files that the page made itself, into the viewer's hands. */

/** Long enough for any browser to have begun with it. */
const LATER = 60_000;

export function download(blob: Blob, name: string) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), LATER);
}

/** Whether this browser can hand files to other applications, as telephones do. */
export function canShare(type: string): boolean {
  const file = new File([""], `some.${type.split("/")[1]}`, { type });
  return typeof navigator.canShare === "function" && navigator.canShare({ files: [file] });
}

/** Hand it to another application; false where that did not work. Whoever thinks better of it may. */
export async function share(blob: Blob, name: string): Promise<boolean> {
  try {
    await navigator.share({ files: [new File([blob], name, { type: blob.type })] });
    return true;
  } catch (error) {
    return (error as Error).name === "AbortError";
  }
}

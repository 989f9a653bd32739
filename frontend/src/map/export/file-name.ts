/** File names of saved pictures and films. Pure. */

/** Return a file name with run and step, reduced to letters, digits, dots and dashes. */
export function fileName(run: string, parts: (string | number)[], extension: string): string {
  const words = [run, ...parts].map((part) =>
    String(part)
      .normalize("NFKD")
      .replace(/[^A-Za-z0-9._-]+/g, "-")
      .replace(/^[.-]+|[.-]+$/g, "")
      .slice(0, 80),
  );
  return `${["lamplighter", ...words].filter(Boolean).join("-")}.${extension}`;
}

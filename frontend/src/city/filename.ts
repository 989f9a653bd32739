/** What a saved picture or film is called. Pure. */

/** A name of letters, digits, dots and dashes that says run and step, whatever the run is called. */
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

/** Keeps what was fetched, up to so many bytes; what was not looked at for longest goes first. Pure. */

export class Keep<Value> {
  /** In the order of the last look, the oldest first. */
  private readonly values = new Map<string, { value: Value; bytes: number }>();
  private held = 0;

  constructor(private readonly most: number) {}

  get bytes(): number {
    return this.held;
  }

  /** Whether it is kept; no look. */
  has(key: string): boolean {
    return this.values.has(key);
  }

  get(key: string): Value | undefined {
    const found = this.values.get(key);
    if (!found) return undefined;
    this.values.delete(key);
    this.values.set(key, found);
    return found.value;
  }

  set(key: string, value: Value, bytes: number) {
    this.delete(key);
    this.values.set(key, { value, bytes });
    this.held += bytes;
    for (const oldest of this.values.keys()) {
      // One that is larger than everything is kept as long as it is the only one: it is being looked at.
      if (this.held <= this.most || oldest === key) break;
      this.delete(oldest);
    }
  }

  delete(key: string) {
    this.held -= this.values.get(key)?.bytes ?? 0;
    this.values.delete(key);
  }

  clear() {
    this.values.clear();
    this.held = 0;
  }
}

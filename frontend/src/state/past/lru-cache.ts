/** An LRU cache bounded in bytes. Pure. */

export class LruCache<Value> {
  /** Least recently used first. */
  private readonly values = new Map<string, { value: Value; bytes: number }>();
  private size = 0;

  constructor(private readonly maxBytes: number) {}

  get bytes(): number {
    return this.size;
  }

  /** Return whether a key is cached, without counting as a use. */
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
    this.size += bytes;
    for (const oldest of this.values.keys()) {
      // Keep a value above the limit while it is the only one: it is in use.
      if (this.size <= this.maxBytes || oldest === key) break;
      this.delete(oldest);
    }
  }

  delete(key: string) {
    this.size -= this.values.get(key)?.bytes ?? 0;
    this.values.delete(key);
  }

  clear() {
    this.values.clear();
    this.size = 0;
  }
}

// Messages that wait for a session: bounded, and what falls out is counted.

export const OUTGOING_BOUND = 64;

/** First in, first out. When full, the oldest wish gives way to the newest. */
export class Outgoing<Item> {
  #items: Item[] = [];
  #dropped = 0;

  constructor(private readonly bound: number = OUTGOING_BOUND) {}

  get length(): number {
    return this.#items.length;
  }

  /** How many were given up because the queue was full. */
  get dropped(): number {
    return this.#dropped;
  }

  push(item: Item): void {
    this.#items.push(item);
    if (this.#items.length > this.bound) {
      this.#items.shift();
      this.#dropped += 1;
    }
  }

  drain(): Item[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }
}

// How long to wait before the next attempt: full jitter under a doubling ceiling, without end.

export const BACKOFF_BASE_MS = 500;
export const BACKOFF_CAP_MS = 60_000;

/** Draws each wait evenly between nothing and a ceiling that doubles; the first one too. */
export class Backoff {
  #attempts = 0;

  constructor(private readonly random: () => number) {}

  /** Attempts since the last session that was useful. */
  get attempts(): number {
    return this.#attempts;
  }

  nextMs(): number {
    const ceiling = Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** this.#attempts);
    this.failed();
    return Math.round(this.random() * ceiling);
  }

  /** An attempt whose wait was not drawn here. */
  failed(): void {
    // 2 ** 7 half seconds are past the cap already; the exponent need not grow for ever.
    this.#attempts = Math.min(this.#attempts + 1, 16);
  }

  /** To be called once a session has been useful, not when it has merely opened. */
  reset(): void {
    this.#attempts = 0;
  }
}

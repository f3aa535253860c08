// The server's clock as this page knows it. The page's own wall clock is never asked for an age.

/**
 * Own monotonic time plus the largest offset to `serverTime` seen in this connection: a message
 * can only be late, never early, so the largest offset is the nearest to the truth.
 */
export class ServerClock {
  #offsetMs: number | null = null;
  #asleepMs = 0;
  #newConnection = true;

  /** A new connection measures anew; until it has, the last offset goes on. */
  begin(): void {
    this.#newConnection = true;
  }

  heard(serverTimeMs: number, monotonicMs: number): void {
    const offsetMs = serverTimeMs - monotonicMs;
    if (this.#offsetMs === null || this.#newConnection || offsetMs > this.#offsetMs) {
      this.#offsetMs = offsetMs;
    }
    this.#newConnection = false;
    this.#asleepMs = 0;
  }

  /**
   * The machine slept for about this long, in which a browser's monotonic clock may stand still.
   * Counted on top until the server is heard again, so that nothing old looks fresh meanwhile.
   */
  slept(durationMs: number): void {
    this.#asleepMs += Math.max(0, durationMs);
  }

  /** Server time, or null before the first message. */
  now(monotonicMs: number): number | null {
    return this.#offsetMs === null ? null : monotonicMs + this.#offsetMs + this.#asleepMs;
  }
}

const SLEEP_MS = 2_000;

/** Finds sleep: the wall clock has gone on and the monotonic one has not. */
export class SleepWatch {
  #wallMinusMonotonicMs: number | null = null;

  /** How long the machine slept since the last call; 0 when it did not. */
  look(wallMs: number, monotonicMs: number): number {
    const difference = wallMs - monotonicMs;
    const slept = difference - (this.#wallMinusMonotonicMs ?? difference);
    this.#wallMinusMonotonicMs = difference;
    return slept >= SLEEP_MS ? slept : 0;
  }
}

// Fetches the raw readings of the stretch that a screen shows: a few users at a time, page by page.
import { isHistoryPage, type TimedSeries } from "@/protocol/messages";
import type { Position } from "./positions";
import { RequestError } from "./requests";

const AT_ONCE = 4;
const PAGE_READINGS = 2_000;
/** Five minutes at ten readings a second; more pages than this are not drawn anyway. */
const MOST_PAGES = 2;

export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface HistoryHost {
  ask(method: "history", params: Record<string, unknown>): Promise<unknown>;
  stretch(): Stretch | null;
  arrived(user: string, stretch: Stretch, series: TimedSeries[], position: Position): void;
}

export class HistoryFetcher {
  readonly #wanted = new Set<string>();
  readonly #running = new Set<string>();

  constructor(
    private readonly host: HistoryHost,
    private readonly metric: string,
  ) {}

  /** Asked again while an answer is on its way, it is fetched once more after that. */
  want(user: string): void {
    this.#wanted.add(user);
  }

  forget(user: string): void {
    this.#wanted.delete(user);
  }

  /** Starts what may start now. To be called after `want`, and now and then. */
  run(): void {
    for (const user of this.#wanted) {
      if (this.#running.size >= AT_ONCE) {
        return;
      }
      const stretch = this.host.stretch();
      if (stretch !== null && !this.#running.has(user)) {
        this.#wanted.delete(user);
        this.#running.add(user);
        void this.#fetch(user, stretch).finally(() => {
          this.#running.delete(user);
          this.run();
        });
      }
    }
  }

  async #fetch(user: string, stretch: Stretch): Promise<void> {
    const series: TimedSeries[] = [];
    let position: Position | null = null;
    let after: string | null = null;
    try {
      for (let page = 0; page < MOST_PAGES; page += 1) {
        const answer = await this.host.ask("history", {
          user,
          metric: this.metric,
          fromMs: stretch.fromMs,
          toMs: stretch.toMs,
          resolution: "raw",
          limit: PAGE_READINGS,
          ...(after === null ? {} : { after }),
        });
        if (!isHistoryPage(answer)) {
          console.error("The answer to a history request is not a page of history.");
          return;
        }
        series.push(...answer.series);
        // What changed between two pages is in neither for sure: the earlier position holds.
        position ??= answer.position;
        after = answer.next ?? null;
        if (after === null) {
          break;
        }
      }
    } catch (error) {
      if (!(error instanceof RequestError)) {
        throw error;
      }
      // A lost connection asks again when it is back; a refusal is not made better by asking.
      if (error.code !== "connectionLost") {
        console.warn(`The history of the last minutes is missing: ${error.message}`);
      }
      return;
    }
    if (position !== null) {
      this.host.arrived(user, stretch, series, position);
    }
  }
}

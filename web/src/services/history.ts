// Fetches history: exactly the stretches that are missing and on a screen, each once, few at a time.
import { type HistoryPage, isHistoryPage, type Resolution } from "@/protocol/messages";
import { isLater, type Position } from "./positions";
import { RequestError } from "./requests";
import { type Stretch, unite, within, without } from "./stretches";

const AT_ONCE = 4;
const PAGE = 2_000;
/** Five minutes at fifty readings a second: no strap sends as many. */
const MOST_HELD = 8 * PAGE;
/** However short the pages are. */
const MOST_PAGES = 256;
const RETRY_MS = 5_000;
const MOST_RETRY_MS = 60_000;
/** Holes no further apart than this are asked for in one. */
const NEAR_MS = 5_000;
/** What changes all the time is fetched no more often than this. */
const APART_MS = 1_000;
/** Refusals that asking again does not make better. */
const FINAL = new Set(["badRequest", "notGranted", "notAllowed", "unknownMethod"]);

/** What is asked of which stretch. */
export interface Question {
  readonly user: string;
  readonly metric: string;
  readonly resolution: Resolution;
}

export interface HistoryHost {
  /** Whether there is a session: without one nothing is asked. */
  isOpen(): boolean;
  ask(method: "history", params: Record<string, unknown>): Promise<unknown>;
  /** What of this question's answer would be seen now; null where nothing would. */
  onScreen(question: Question): Stretch | null;
  /** `stretch` is known as of `position`, but for what is wanted again since. */
  arrived(question: Question, stretch: Stretch, pages: readonly HistoryPage[], at: Position): void;
}

/** As of a position: an earlier answer does not have it. Null: any answer has. */
interface Want extends Stretch {
  readonly position: Position | null;
}

interface Asked {
  readonly question: Question;
  wants: Want[];
  running: boolean;
  failures: number;
  notBeforeMs: number;
  /** The same where only what changed is to be fetched. */
  changesNotBeforeMs: number;
}

export class HistoryFetcher {
  readonly #asked = new Map<string, Asked>();
  #running = 0;

  constructor(private readonly host: HistoryHost) {}

  /** To be fetched by the next `run`, where it is still on the screen then. */
  want(question: Question, stretch: Stretch, position: Position | null): void {
    const asked = this.#of(question);
    const held = position === null ? asked.wants : without(asked.wants, stretch);
    asked.wants = [...held, { ...stretch, position }];
  }

  /** What is still to come, be it on its way or not. */
  wanted(question: Question): readonly Stretch[] {
    return this.#asked.get(keyOf(question))?.wants ?? [];
  }

  forget(user: string): void {
    for (const [key, { question }] of this.#asked) {
      if (question.user === user) {
        this.#asked.delete(key);
      }
    }
  }

  /** Starts what may start now. To be called after `want`, and now and then. */
  run(): void {
    if (!this.host.isOpen()) {
      return;
    }
    for (const [key, asked] of this.#asked) {
      const screen = this.host.onScreen(asked.question);
      asked.wants = screen === null ? [] : within(asked.wants, screen);
      const now = performance.now();
      const next = unite(dueOf(asked, now), NEAR_MS).at(-1);
      if (next !== undefined && !asked.running && this.#running < AT_ONCE) {
        void this.#fetch(asked, next);
      } else if (asked.wants.length === 0 && !asked.running && now >= asked.changesNotBeforeMs) {
        this.#asked.delete(key);
      }
    }
  }

  #of(question: Question): Asked {
    const key = keyOf(question);
    let asked = this.#asked.get(key);
    if (asked === undefined) {
      asked = {
        question,
        wants: [],
        running: false,
        failures: 0,
        notBeforeMs: 0,
        changesNotBeforeMs: 0,
      };
      this.#asked.set(key, asked);
    }
    return asked;
  }

  async #fetch(asked: Asked, stretch: Stretch): Promise<void> {
    let isLost = false;
    asked.running = true;
    this.#running += 1;
    try {
      await this.#ask(asked, stretch);
    } catch (error) {
      isLost = error instanceof RequestError && error.code === "connectionLost";
      if (!isLost) {
        this.#failed(asked, stretch, error);
      }
    } finally {
      asked.running = false;
      asked.changesNotBeforeMs = performance.now() + APART_MS;
      this.#running -= 1;
    }
    // Asked again here, what was lost would be lost again at once, for ever.
    if (!isLost) {
      this.run();
    }
  }

  async #ask(asked: Asked, stretch: Stretch): Promise<void> {
    const pages: HistoryPage[] = [];
    let held = 0;
    let after: string | null = null;
    do {
      const answer = await this.host.ask("history", {
        ...asked.question,
        ...stretch,
        limit: PAGE,
        ...(after === null ? {} : { after }),
      });
      if (!isHistoryPage(answer)) {
        throw new Error("the answer to a history request is no page of history");
      }
      if (after !== null && answer.next === after) {
        throw new Error("a page of history ends where the one before it ended");
      }
      pages.push(answer);
      // A page may be empty and go on: a strap can lie on a table for days.
      held += sizeOf(answer);
      after = answer.next ?? null;
      // What has left the screen meanwhile is not fetched to its end.
      if (after !== null && !this.#isSeen(asked, stretch)) {
        return;
      }
    } while (after !== null && held < MOST_HELD && pages.length < MOST_PAGES);
    const got = after === null ? stretch : reached(stretch, pages);
    asked.failures = 0;
    // What changed between two pages is in neither for sure: the earliest position holds.
    const at = pages[0]?.position;
    if (at !== undefined && this.#asked.get(keyOf(asked.question)) === asked) {
      asked.wants = asked.wants.flatMap((want) =>
        want.position !== null && isLater(want.position, at) ? [want] : without([want], got),
      );
      this.host.arrived(asked.question, got, pages, at);
    }
  }

  #isSeen(asked: Asked, stretch: Stretch): boolean {
    const screen = this.host.onScreen(asked.question);
    return screen !== null && within([stretch], screen).length > 0;
  }

  /** A busy server is asked again after a while; what is refused for good is not. */
  #failed(asked: Asked, stretch: Stretch, error: unknown): void {
    const refused = error instanceof RequestError;
    const text = error instanceof Error ? error.message : String(error);
    console.warn(`A stretch of history is missing: ${text}`);
    if (!refused || FINAL.has(error.code)) {
      asked.wants = without(asked.wants, stretch);
      return;
    }
    const delayMs = Math.min(MOST_RETRY_MS, RETRY_MS * 2 ** asked.failures);
    asked.failures += 1;
    asked.notBeforeMs = performance.now() + delayMs;
  }
}

/** What may be asked for now. What has changed just now waits, and keeps nothing else waiting. */
function dueOf({ wants, notBeforeMs, changesNotBeforeMs }: Asked, now: number): readonly Want[] {
  if (now < notBeforeMs) {
    return [];
  }
  return now < changesNotBeforeMs ? wants.filter(({ position }) => position === null) : wants;
}

function sizeOf({ series, stretches }: HistoryPage): number {
  const columns = [...series, ...(stretches ?? [])];
  return columns.reduce((sum, { atMs }) => sum + atMs.length, 0);
}

/**
 * How far pages came that did not come to their end: they are in order of time, and the last thing
 * in them is asked for again with the rest. Where that would lead no further, it is left at that.
 */
function reached(stretch: Stretch, pages: readonly HistoryPage[]): Stretch {
  const ends = pages
    .flatMap(({ series, stretches }) => [...series, ...(stretches ?? [])])
    .map(({ atMs }) => atMs.reduce((sum, difference) => sum + difference, 0));
  const toMs = Math.max(0, ...ends);
  if (toMs > stretch.fromMs && toMs < stretch.toMs) {
    return { ...stretch, toMs };
  }
  console.warn("A stretch of history has no end: what came of it is taken for the whole.");
  return stretch;
}

export function keyOf({ user, metric, resolution }: Question): string {
  return `${resolution} ${metric} ${user}`;
}

// Asks for stretches of time, page by page: what is missing and on a screen, each once, few at a time.
import { isLater, type Position } from "./positions";
import { RequestError } from "./requests";
import { type Stretch, unite, within, without } from "./stretches";

const AT_ONCE = 4;
/** However short the pages are. */
const MOST_PAGES = 256;
const RETRY_MS = 5_000;
const MOST_RETRY_MS = 60_000;
/** Holes no further apart than this are asked for in one. */
const NEAR_MS = 5_000;
/** Refusals that asking again does not make better. */
const FINAL = new Set(["badRequest", "notGranted", "notAllowed", "unknownMethod"]);

/** An answer, or a part of one that goes on. */
export interface PageOf {
  readonly position: Position;
  readonly next?: string | null;
}

/** One method of the server, and what its answers are like. */
export interface Source<Question, Page extends PageOf> {
  readonly method: string;
  /** In a sentence: "history". */
  readonly words: string;
  /** The most of one page. */
  readonly limit: number;
  /** Enough for one answer: the rest is asked for by itself. */
  readonly most: number;
  /** What changes all the time is fetched no more often than this. */
  readonly apartMs: number;
  keyOf(question: Question): string;
  isPage(answer: unknown): answer is Page;
  sizeOf(page: Page): number;
  /** Where the last thing on it is. */
  lastOf(page: Page): number;
}

export interface FetcherHost<Question, Page> {
  /** Whether there is a session: without one nothing is asked. */
  isOpen(): boolean;
  ask(method: string, params: Record<string, unknown>): Promise<unknown>;
  /** What of this question's answer would be seen now; null where nothing would. */
  onScreen(question: Question): Stretch | null;
  /** `stretch` is known as of `position`, but for what is wanted again since. */
  arrived(question: Question, stretch: Stretch, pages: readonly Page[], at: Position): void;
  /** Asking for it again would not help. */
  refused?(question: Question, stretch: Stretch): void;
}

/** As of a position: an earlier answer does not have it. Null: any answer has. */
interface Want extends Stretch {
  readonly position: Position | null;
}

interface Asked<Question> {
  readonly question: Question;
  wants: Want[];
  running: boolean;
  failures: number;
  notBeforeMs: number;
  /** The same where only what changed is to be fetched. */
  changesNotBeforeMs: number;
}

export class Fetcher<Question extends { readonly user: string }, Page extends PageOf> {
  readonly #asked = new Map<string, Asked<Question>>();
  #running = 0;

  constructor(
    private readonly source: Source<Question, Page>,
    private readonly host: FetcherHost<Question, Page>,
  ) {}

  /** To be fetched by the next `run`, where it is still on the screen then. */
  want(question: Question, stretch: Stretch, position: Position | null): void {
    const asked = this.#of(question);
    const held = position === null ? asked.wants : without(asked.wants, stretch);
    asked.wants = [...held, { ...stretch, position }];
  }

  /** What is still to come, be it on its way or not. */
  wanted(question: Question): readonly Stretch[] {
    return this.#asked.get(this.source.keyOf(question))?.wants ?? [];
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

  #of(question: Question): Asked<Question> {
    const key = this.source.keyOf(question);
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

  async #fetch(asked: Asked<Question>, stretch: Stretch): Promise<void> {
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
      asked.changesNotBeforeMs = performance.now() + this.source.apartMs;
      this.#running -= 1;
    }
    // Asked again here, what was lost would be lost again at once, for ever.
    if (!isLost) {
      this.run();
    }
  }

  async #ask(asked: Asked<Question>, stretch: Stretch): Promise<void> {
    const { method, words, limit, most } = this.source;
    const pages: Page[] = [];
    let held = 0;
    let after: string | null = null;
    do {
      const more: Record<string, unknown> = after === null ? {} : { after };
      const answer = await this.host.ask(method, { ...asked.question, ...stretch, limit, ...more });
      if (!this.source.isPage(answer)) {
        throw new Error(`the answer to a request for ${words} is no page of it`);
      }
      if (after !== null && answer.next === after) {
        throw new Error(`a page of ${words} ends where the one before it ended`);
      }
      pages.push(answer);
      // A page may be empty and go on: a strap can lie on a table for days.
      held += this.source.sizeOf(answer);
      after = answer.next ?? null;
      // What has left the screen meanwhile is not fetched to its end.
      if (after !== null && !this.#isSeen(asked, stretch)) {
        return;
      }
    } while (after !== null && held < most && pages.length < MOST_PAGES);
    const got = after === null ? stretch : this.#reached(stretch, pages);
    asked.failures = 0;
    // What changed between two pages is in neither for sure: the earliest position holds.
    const at = pages[0]?.position;
    if (at !== undefined && this.#asked.get(this.source.keyOf(asked.question)) === asked) {
      asked.wants = asked.wants.flatMap((want) =>
        want.position !== null && isLater(want.position, at) ? [want] : without([want], got),
      );
      this.host.arrived(asked.question, got, pages, at);
    }
  }

  #isSeen(asked: Asked<Question>, stretch: Stretch): boolean {
    const screen = this.host.onScreen(asked.question);
    return screen !== null && within([stretch], screen).length > 0;
  }

  /** A busy server is asked again after a while; what is refused for good is not. */
  #failed(asked: Asked<Question>, stretch: Stretch, error: unknown): void {
    const refused = error instanceof RequestError;
    const text = error instanceof Error ? error.message : String(error);
    console.warn(`A stretch of ${this.source.words} is missing: ${text}`);
    if (!refused || FINAL.has(error.code)) {
      asked.wants = without(asked.wants, stretch);
      this.host.refused?.(asked.question, stretch);
      return;
    }
    const delayMs = Math.min(MOST_RETRY_MS, RETRY_MS * 2 ** asked.failures);
    asked.failures += 1;
    asked.notBeforeMs = performance.now() + delayMs;
  }

  /**
   * How far pages came that did not come to their end: they are in order of time, and the last
   * thing in them is asked for again with the rest. Where that would lead no further, it is left
   * at that.
   */
  #reached(stretch: Stretch, pages: readonly Page[]): Stretch {
    const toMs = Math.max(0, ...pages.map((page) => this.source.lastOf(page)));
    if (toMs > stretch.fromMs && toMs < stretch.toMs) {
      return { ...stretch, toMs };
    }
    console.warn(`A stretch of ${this.source.words} has no end: what came is taken for the whole.`);
    return stretch;
  }
}

/** What may be asked for now. What has changed just now waits, and keeps nothing else waiting. */
function dueOf<Question>(asked: Asked<Question>, now: number): readonly Want[] {
  const { wants, notBeforeMs, changesNotBeforeMs } = asked;
  if (now < notBeforeMs) {
    return [];
  }
  return now < changesNotBeforeMs ? wants.filter(({ position }) => position === null) : wants;
}

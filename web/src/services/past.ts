// What a screen looks back at: readings, or seconds to days, kept as far as they are known.
import type { HistoryPage, Stretches, Subscribed } from "@/protocol/messages";
import type { Unsubscribe } from "./emitter";
import { HistoryFetcher, keyOf, type Question } from "./history";
import { type Line, points } from "./lines";
import type { Position } from "./positions";
import type { News } from "./session";
import { missingOf, type Stretch, unite, within, without } from "./stretches";

/** What was measured in one stretch of a resolution. */
export interface Bucket {
  readonly atMs: number;
  readonly count: number;
  readonly average: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly taken: number | null;
}

/** One user's metric at one resolution: in order of time, as far as `known` says. */
export interface PastRecord {
  readonly points: Line;
  readonly buckets: readonly Bucket[];
  readonly known: readonly Stretch[];
  /** The zone of its days. */
  readonly zone: string | null;
}

export interface PastHost {
  isOpen(): boolean;
  ask(method: string, params: Record<string, unknown>): Promise<unknown>;
  /** The server's time; null before its first word. */
  now(): number | null;
}

/** Readings and stretches that are kept, over all that is on a screen or was. */
export const PAST_BOUND = 40_000;

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
export const BUCKET_MS: Readonly<Record<Question["resolution"], number>> = {
  raw: 1,
  second: SECOND_MS,
  minute: MINUTE_MS,
  hour: 60 * MINUTE_MS,
  day: 24 * 60 * MINUTE_MS,
};
/** A reading may take so long to come; what is younger is asked for again. */
const SETTLED_MS = 3_000;
/** How often the running end is asked for while it is looked at. */
const LEAST_PERIOD_MS = 5_000;

const NOTHING: PastRecord = { points: [], buckets: [], known: [], zone: null };

interface Kept {
  readonly question: Question;
  record: PastRecord;
  readonly views: Set<Stretch>;
  /** The running end has been asked for then, on the page's monotonic clock. */
  endAskedMs: number;
}

export class Past {
  readonly #kept = new Map<string, Kept>();
  readonly #watchers = new Set<() => void>();
  readonly #fetcher: HistoryFetcher;

  constructor(private readonly host: PastHost) {
    this.#fetcher = new HistoryFetcher({
      isOpen: () => host.isOpen(),
      ask: (method, params) => host.ask(method, params),
      onScreen: (question) => this.#screen(question),
      arrived: (question, stretch, pages, at) => this.#arrived(question, stretch, pages, at),
    });
  }

  /** How many readings and stretches are kept. */
  get size(): number {
    return [...this.#kept.values()].reduce((sum, { record }) => sum + sizeOf(record), 0);
  }

  subscribe = (watcher: () => void): Unsubscribe => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  /** The same object until something of it is new. */
  of(question: Question): PastRecord {
    return this.#kept.get(keyOf(question))?.record ?? NOTHING;
  }

  /** On a screen until the returned function is called: fetched where it is not known. */
  look(question: Question, stretch: Stretch): Unsubscribe {
    const key = keyOf(question);
    const kept = this.#kept.get(key) ?? {
      question,
      record: NOTHING,
      views: new Set<Stretch>(),
      endAskedMs: Number.NEGATIVE_INFINITY,
    };
    // The newest last: what has not been looked at for longest gives way first.
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    const view = whole(stretch, question);
    kept.views.add(view);
    this.#ask(kept);
    this.#fetcher.run();
    return () => {
      kept.views.delete(view);
    };
  }

  /** Once a second: asks for the running end of what is looked at, and for what is due. */
  run(): void {
    for (const kept of this.#kept.values()) {
      this.#ask(kept);
    }
    this.#fetcher.run();
  }

  /** A snapshot that is a reset says nothing of the past: all of it may be another. */
  subscribed({ snapshot }: Subscribed): void {
    for (const kept of this.#kept.values()) {
      if (snapshot[kept.question.user]?.reset === true) {
        this.#set(kept, { ...kept.record, known: [] });
      }
    }
    this.run();
  }

  news(news: News): void {
    if (news.type !== "HISTORY_CHANGED" && news.type !== "HEALTH_DATA_UPDATE") {
      return;
    }
    const stretch = news.type === "HISTORY_CHANGED" ? news : stretchOf(news.series.atMs);
    if (stretch.toMs <= stretch.fromMs) {
      // Only what is said of the present is another: a session began or ended.
      return;
    }
    for (const kept of this.#kept.values()) {
      const { question, record } = kept;
      if (question.user === news.user && question.metric === news.metric) {
        this.#changed(kept, record, whole(stretch, question), news.position);
      }
    }
    if (news.type === "HISTORY_CHANGED") {
      this.#fetcher.run();
    }
  }

  forget(user: string): void {
    this.#fetcher.forget(user);
    for (const kept of this.#kept.values()) {
      if (kept.question.user === user) {
        this.#set(kept, NOTHING);
      }
    }
  }

  /** On the screen it stands until the next answer comes; elsewhere it is no longer known. */
  #changed(kept: Kept, record: PastRecord, stretch: Stretch, position: Position): void {
    const screen = this.#screen(kept.question);
    const known = [...record.known, ...this.#fetcher.wanted(kept.question)];
    for (const shown of screen === null ? [] : within([stretch], screen)) {
      for (const old of within(unite(known), shown)) {
        this.#fetcher.want(kept.question, old, position);
      }
    }
    const elsewhere = screen === null ? [stretch] : without([stretch], screen);
    if (elsewhere.some((hole) => within(record.known, hole).length > 0)) {
      const left = elsewhere.reduce<Stretch[]>(
        (still, hole) => without(still, hole),
        [...record.known],
      );
      this.#set(kept, { ...record, known: left });
    }
  }

  #ask(kept: Kept): void {
    const nowMs = this.host.now();
    const { question, record, views } = kept;
    if (nowMs === null || views.size === 0) {
      return;
    }
    const settledMs = settled(question, nowMs);
    const known = [...record.known, ...this.#fetcher.wanted(question)];
    for (const view of views) {
      const past = { fromMs: view.fromMs, toMs: Math.min(view.toMs, settledMs) };
      const holes = past.toMs > past.fromMs ? missingOf(past, known) : [];
      const runs = view.toMs > settledMs;
      for (const hole of holes.filter(({ toMs }) => !runs || toMs !== settledMs)) {
        this.#fetcher.want(question, hole, null);
      }
      if (runs) {
        const edge = holes.find(({ toMs }) => toMs === settledMs) ?? {
          fromMs: Math.max(view.fromMs, settledMs),
          toMs: settledMs,
        };
        this.#askEnd(kept, { fromMs: edge.fromMs, toMs: view.toMs }, edge);
      }
    }
  }

  /** The running end, once in a while; at once where more than that is missing before it. */
  #askEnd(kept: Kept, end: Stretch, missing: Stretch): void {
    const { question } = kept;
    const now = performance.now();
    const waits = within(this.#fetcher.wanted(question), end).length > 0;
    const due = now - kept.endAskedMs >= periodMs(question);
    if (!waits && (due || missing.toMs - missing.fromMs >= periodMs(question))) {
      kept.endAskedMs = now;
      this.#fetcher.want(question, end, null);
    }
  }

  #screen(question: Question): Stretch | null {
    const views = [...(this.#kept.get(keyOf(question))?.views ?? [])];
    return views.length === 0
      ? null
      : {
          fromMs: Math.min(...views.map(({ fromMs }) => fromMs)),
          toMs: Math.max(...views.map(({ toMs }) => toMs)),
        };
  }

  #arrived(
    question: Question,
    stretch: Stretch,
    pages: readonly HistoryPage[],
    at: Position,
  ): void {
    const kept = this.#kept.get(keyOf(question));
    if (kept === undefined) {
      return;
    }
    const { record } = kept;
    const fresh = pages
      .flatMap(({ series }) => series.flatMap((one) => points(one, at)))
      .filter(({ atMs }) => atMs < stretch.toMs);
    const buckets = pages
      .flatMap(({ stretches }) => (stretches ?? []).flatMap(bucketsOf))
      .filter(({ atMs }) => atMs < stretch.toMs);
    const settledMs = settled(question, this.host.now() ?? stretch.toMs);
    const known = unite([...record.known, ...within([stretch], { fromMs: 0, toMs: settledMs })]);
    this.#set(kept, {
      points: replaced(record.points, stretch, fresh),
      buckets: replaced(record.buckets, stretch, buckets),
      known,
      zone: pages[0]?.zone ?? record.zone,
    });
    this.#shed();
  }

  /** What is not looked at goes first; then what is far from where it is; then all but that. */
  #shed(): void {
    let { size } = this;
    for (const [key, { record, views }] of this.#kept) {
      if (size > PAST_BOUND && views.size === 0 && sizeOf(record) > 0) {
        this.#kept.delete(key);
        size -= sizeOf(record);
      }
    }
    for (const sheets of [1, 0]) {
      for (const kept of size > PAST_BOUND ? this.#kept.values() : []) {
        const { record } = kept;
        const left = around(record, [...kept.views], sheets);
        if (sizeOf(left) < sizeOf(record)) {
          size -= sizeOf(record) - sizeOf(left);
          this.#set(kept, left);
        }
      }
    }
  }

  #set(kept: Kept, record: PastRecord): void {
    kept.record = record;
    for (const watcher of [...this.#watchers]) {
      watcher();
    }
  }
}

function sizeOf({ points: readings, buckets }: PastRecord): number {
  return readings.length + buckets.length;
}

function periodMs({ resolution }: Question): number {
  return Math.max(LEAST_PERIOD_MS, Math.min(BUCKET_MS[resolution], MINUTE_MS));
}

/**
 * Up to here nothing is still on its way: the running stretch is over later. A person's day may
 * have begun up to a day before that of UTC.
 */
function settled({ resolution }: Question, nowMs: number): number {
  const lengthMs = BUCKET_MS[resolution];
  const endMs = Math.floor((nowMs - SETTLED_MS) / lengthMs) * lengthMs;
  return resolution === "day" ? endMs - lengthMs : endMs;
}

/**
 * The stretches of the resolution that it touches. Days begin when those of the person do, which
 * a page does not know before it has asked: a day on either side is enough.
 */
function whole({ fromMs, toMs }: Stretch, { resolution }: Question): Stretch {
  const lengthMs = BUCKET_MS[resolution];
  const marginMs = resolution === "day" ? lengthMs : 0;
  return {
    fromMs: Math.max(0, Math.floor(fromMs / lengthMs) * lengthMs - marginMs),
    toMs: Math.ceil(toMs / lengthMs) * lengthMs,
  };
}

function stretchOf(differences: readonly number[]): Stretch {
  let atMs = 0;
  const times = differences.map((difference) => {
    atMs += difference;
    return atMs;
  });
  return { fromMs: Math.min(...times), toMs: Math.max(...times) + 1 };
}

function bucketsOf(stretches: Stretches): Bucket[] {
  let atMs = 0;
  return stretches.atMs.map((difference, index) => {
    atMs += difference;
    return {
      atMs,
      count: stretches.count[index] ?? 0,
      average: stretches.average?.[index] ?? null,
      min: stretches.min?.[index] ?? null,
      max: stretches.max?.[index] ?? null,
      taken: stretches.taken?.[index] ?? null,
    };
  });
}

interface Timed {
  readonly atMs: number;
}

/** `kept`, in order, with `fresh` for what it had of this stretch. Only what is fresh is sorted. */
function replaced<One extends Timed>(
  kept: readonly One[],
  { fromMs, toMs }: Stretch,
  fresh: readonly One[],
): readonly One[] {
  const inside = fresh.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
  return [
    ...kept.slice(0, firstAt(kept, fromMs)),
    ...inside.sort((a, b) => a.atMs - b.atMs),
    ...kept.slice(firstAt(kept, toMs)),
  ];
}

/** What of the record is in a view, or no further from it than so many of its lengths. */
function around(record: PastRecord, views: readonly Stretch[], sheets: number): PastRecord {
  const windows = unite(
    views.map(({ fromMs, toMs }) => ({
      fromMs: fromMs - sheets * (toMs - fromMs),
      toMs: toMs + sheets * (toMs - fromMs),
    })),
  );
  const those = <One extends Timed>(all: readonly One[]) =>
    windows.flatMap(({ fromMs, toMs }) => all.slice(firstAt(all, fromMs), firstAt(all, toMs)));
  return {
    ...record,
    points: those(record.points),
    buckets: those(record.buckets),
    known: windows.flatMap((window) => within(record.known, window)),
  };
}

/** Where in this order the first is that is not before this moment. */
function firstAt(all: readonly Timed[], fromMs: number): number {
  let low = 0;
  let high = all.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((all[middle]?.atMs ?? Number.POSITIVE_INFINITY) < fromMs) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// What is missing and why, as the server accounts for it: asked for where a screen looks, kept, renewed.
import { type Gap, type GapsPage, isGapsPage, type Subscribed } from "@/protocol/messages";
import type { Unsubscribe } from "./emitter";
import { Fetcher, type Source } from "./fetcher";
import type { Position } from "./positions";
import type { News } from "./session";
import { missingOf, type Stretch, unite, within, without } from "./stretches";

export interface GapsQuestion {
  readonly user: string;
  readonly metric: string;
}

/** What is accounted for of one user's metric: in order of time, as far as `known` says. */
export interface Ledger {
  /** Stretches without a reading, each of one cause; those of one silence adjoin. */
  readonly gaps: readonly Gap[];
  readonly known: readonly Stretch[];
  /** Up to then nothing is still to come; null where no bridge says. */
  readonly completeThroughMs: number | null;
}

export interface GapsHost {
  isOpen(): boolean;
  ask(method: string, params: Record<string, unknown>): Promise<unknown>;
  /** The server's time; null before its first word. */
  now(): number | null;
}

/** Gaps that are kept, over all that is on a screen or was. */
export const GAPS_BOUND = 10_000;

export const NO_LEDGER: Ledger = { gaps: [], known: [], completeThroughMs: null };

const PAGE = 500;
/** What is younger may still be on its way, and is asked for again. */
const SETTLED_MS = 5_000;
/** How often the running end is asked for while it is looked at. */
const PERIOD_MS = 30_000;
/** A reading closes a gap that ends no further from it than this: its neighbours may have moved. */
const BESIDE_MS = 10_000;
/** Causes that are not the last word: what comes later may say more. */
const OPEN_CAUSES: ReadonlySet<string> = new Set(["silent", "pending"]);

const GAPS: Source<GapsQuestion, GapsPage> = {
  method: "gaps",
  words: "gaps",
  limit: PAGE,
  most: 4 * PAGE,
  apartMs: 2_000,
  keyOf: ({ user, metric }) => `${metric} ${user}`,
  isPage: isGapsPage,
  sizeOf: ({ gaps }) => gaps.length,
  lastOf: ({ gaps }) => gaps.at(-1)?.fromMs ?? 0,
};

interface Kept {
  readonly question: GapsQuestion;
  record: Ledger;
  readonly views: Set<Stretch>;
  /** The server answers no such question: not asked again before the next session. */
  refused: boolean;
  /** The running end has been asked for then, on the page's monotonic clock. */
  endAskedMs: number;
  /** What the user's status said last: where it changes, an open cause may be known. */
  standing: string;
}

export class Gaps {
  readonly #kept = new Map<string, Kept>();
  readonly #watchers = new Set<() => void>();
  readonly #fetcher: Fetcher<GapsQuestion, GapsPage>;

  constructor(private readonly host: GapsHost) {
    this.#fetcher = new Fetcher(GAPS, {
      isOpen: () => host.isOpen(),
      ask: (method, params) => host.ask(method, params),
      onScreen: (question) => this.#screen(question),
      arrived: (question, stretch, pages) => this.#arrived(question, stretch, pages),
      refused: (question) => this.#refused(question),
    });
  }

  /** How many gaps are kept. */
  get size(): number {
    return [...this.#kept.values()].reduce((sum, { record }) => sum + record.gaps.length, 0);
  }

  subscribe = (watcher: () => void): Unsubscribe => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  /** The same object until something of it is new. */
  of(question: GapsQuestion): Ledger {
    return this.#kept.get(GAPS.keyOf(question))?.record ?? NO_LEDGER;
  }

  /** On a screen until the returned function is called: asked for where it is not known. */
  look(question: GapsQuestion, { fromMs, toMs }: Stretch): Unsubscribe {
    const key = GAPS.keyOf(question);
    const kept = this.#kept.get(key) ?? {
      question,
      record: NO_LEDGER,
      views: new Set<Stretch>(),
      refused: false,
      endAskedMs: Number.NEGATIVE_INFINITY,
      standing: "",
    };
    // The newest last: what has not been looked at for longest gives way first.
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    const view = { fromMs: Math.max(0, Math.floor(fromMs)), toMs: Math.ceil(toMs) };
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
      kept.refused = false;
      const of = snapshot[kept.question.user];
      if (of?.reset === true) {
        this.#set(kept, { ...kept.record, known: [] });
      } else if (of !== undefined) {
        this.#reopen(kept, of.position);
      }
    }
    this.run();
  }

  news(news: News): void {
    if (news.type === "SUBSCRIPTION_CHANGED") {
      return;
    }
    for (const kept of this.#kept.values()) {
      if (kept.question.user === news.user) {
        this.#heard(kept, news);
      }
    }
    this.#fetcher.run();
  }

  forget(user: string): void {
    this.#fetcher.forget(user);
    for (const kept of this.#kept.values()) {
      if (kept.question.user === user) {
        this.#set(kept, NO_LEDGER);
      }
    }
  }

  #heard(kept: Kept, news: Exclude<News, { readonly type: "SUBSCRIPTION_CHANGED" }>): void {
    if (news.type === "SYNC_STATUS_UPDATE") {
      const { bridges = [], devices = [] } = news.hops;
      const states = [...bridges, ...devices].map(({ state, sinceMs }) => `${state} ${sinceMs}`);
      const standing = [news.completeThroughMs, ...states].join();
      if (standing !== kept.standing) {
        kept.standing = standing;
        this.#reopen(kept, null);
      }
    } else if (news.metric === "gap") {
      // Of a stretch that is past: how far it reaches, its beginning does not say.
      const since = { fromMs: changedIn(news).fromMs, toMs: Number.MAX_SAFE_INTEGER };
      this.#again(kept, withGaps(kept.record, since), news.position);
    } else if (news.metric === kept.question.metric) {
      const whole = withGaps(kept.record, changedIn(news));
      if (news.type === "HISTORY_CHANGED" || whole.touched) {
        // What lasted may have ended: nobody waits half a minute to hear of it.
        kept.endAskedMs = Number.NEGATIVE_INFINITY;
        this.#again(kept, whole, news.position);
      }
    }
  }

  /** Of the gaps whose cause is not the last word. */
  #reopen(kept: Kept, position: Position | null): void {
    for (const gap of kept.record.gaps) {
      if (OPEN_CAUSES.has(gap.cause) || gap.lasts === true) {
        this.#again(kept, gap, position);
      }
    }
  }

  /** On the screen it stands until the next answer comes; elsewhere it is no longer known. */
  #again(kept: Kept, stretch: Stretch, position: Position | null): void {
    const nowMs = this.host.now();
    if (nowMs === null || kept.refused) {
      return;
    }
    const { question, record, views } = kept;
    const known = [...record.known, ...this.#fetcher.wanted(question)];
    for (const view of views) {
      for (const old of within(unite(known), view).flatMap((one) => within([one], stretch))) {
        this.#fetcher.want(question, old, position);
      }
    }
    const elsewhere = [...views].reduce<Stretch[]>((left, view) => without(left, view), [stretch]);
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
    if (nowMs === null || kept.refused) {
      return;
    }
    const settledMs = nowMs - SETTLED_MS;
    const known = [...record.known, ...this.#fetcher.wanted(question)];
    for (const view of views) {
      const past = { fromMs: view.fromMs, toMs: Math.min(view.toMs, settledMs) };
      const holes = past.toMs > past.fromMs ? missingOf(past, known) : [];
      const runs = view.toMs > settledMs;
      for (const hole of holes.filter(({ toMs }) => !runs || toMs !== past.toMs)) {
        this.#fetcher.want(question, hole, null);
      }
      const edge = holes.find(({ toMs }) => toMs === past.toMs);
      if (runs && edge !== undefined) {
        this.#askEnd(kept, edge, nowMs);
      }
    }
  }

  /** The running end, once in a while; at once where more than that is missing before it. */
  #askEnd(kept: Kept, edge: Stretch, nowMs: number): void {
    const now = performance.now();
    const due = now - kept.endAskedMs >= PERIOD_MS || edge.toMs - edge.fromMs >= PERIOD_MS;
    const waits = within(this.#fetcher.wanted(kept.question), edge).length > 0;
    if (due && !waits) {
      kept.endAskedMs = now;
      this.#fetcher.want(kept.question, { fromMs: edge.fromMs, toMs: Math.ceil(nowMs) }, null);
    }
  }

  #refused({ user, metric }: GapsQuestion): void {
    const kept = this.#kept.get(GAPS.keyOf({ user, metric }));
    if (kept !== undefined) {
      kept.refused = true;
    }
  }

  #screen(question: GapsQuestion): Stretch | null {
    const views = [...(this.#kept.get(GAPS.keyOf(question))?.views ?? [])];
    return views.length === 0
      ? null
      : {
          fromMs: Math.min(...views.map(({ fromMs }) => fromMs)),
          toMs: Math.max(...views.map(({ toMs }) => toMs)),
        };
  }

  #arrived(question: GapsQuestion, stretch: Stretch, pages: readonly GapsPage[]): void {
    const kept = this.#kept.get(GAPS.keyOf(question));
    if (kept === undefined) {
      return;
    }
    const { record } = kept;
    const fresh = within(
      pages.flatMap(({ gaps }) => gaps),
      stretch,
    );
    const gaps = [...without(record.gaps, stretch), ...fresh].sort((a, b) => a.fromMs - b.fromMs);
    const settledMs = (this.host.now() ?? stretch.toMs) - SETTLED_MS;
    this.#set(kept, {
      gaps: joined(gaps),
      known: unite([...record.known, ...within([stretch], { fromMs: 0, toMs: settledMs })]),
      completeThroughMs: pages.at(-1)?.completeThroughMs ?? null,
    });
    this.#shed();
  }

  /** What is not looked at goes first, then what is beside that which is. */
  #shed(): void {
    for (const [key, { record, views }] of this.#kept) {
      if (this.size > GAPS_BOUND && views.size === 0 && record.gaps.length > 0) {
        this.#kept.delete(key);
      }
    }
    for (const kept of this.size > GAPS_BOUND ? [...this.#kept.values()] : []) {
      const { record } = kept;
      const windows = unite([...kept.views]);
      this.#set(kept, {
        ...record,
        gaps: record.gaps.filter((gap) => windows.some((one) => within([gap], one).length > 0)),
        known: windows.flatMap((window) => within(record.known, window)),
      });
    }
  }

  #set(kept: Kept, record: Ledger): void {
    kept.record = record;
    for (const watcher of [...this.#watchers]) {
      watcher();
    }
  }
}

/** Pieces that two answers have cut are one again. */
function joined(gaps: readonly Gap[]): Gap[] {
  const whole: Gap[] = [];
  for (const gap of gaps) {
    const last = whole.at(-1);
    if (last !== undefined && last.toMs >= gap.fromMs && isSame(last, gap)) {
      const toMs = Math.max(last.toMs, gap.toMs);
      whole[whole.length - 1] = { ...last, toMs, lasts: gap.lasts ?? false };
    } else {
      if (last !== undefined && last.toMs === gap.fromMs) {
        // What it went on as stands beside it.
        whole[whole.length - 1] = { ...last, lasts: false };
      }
      whole.push(gap);
    }
  }
  return whole;
}

function isSame(one: Gap, other: Gap): boolean {
  return (
    one.cause === other.cause &&
    (one.evidence ?? null) === (other.evidence ?? null) &&
    (one.device ?? null) === (other.device ?? null) &&
    (one.count ?? 0) === (other.count ?? 0)
  );
}

/** What changed, with all of the gaps that it touches. */
function withGaps({ gaps }: Ledger, { fromMs, toMs }: Stretch) {
  const touched = gaps.filter(
    (gap) =>
      gap.fromMs <= toMs + BESIDE_MS && (gap.lasts === true || gap.toMs >= fromMs - BESIDE_MS),
  );
  return {
    fromMs: Math.min(fromMs - BESIDE_MS, ...touched.map((gap) => gap.fromMs)),
    toMs: Math.max(toMs + BESIDE_MS, ...touched.map((gap) => gap.toMs)),
    touched: touched.length > 0,
  };
}

function changedIn(
  news: Exclude<News, { readonly type: "SUBSCRIPTION_CHANGED" | "SYNC_STATUS_UPDATE" }>,
): Stretch {
  return news.type === "HISTORY_CHANGED" ? news : stretchOf(news.series.atMs);
}

function stretchOf(differences: readonly number[]): Stretch {
  let atMs = 0;
  const times = differences.map((difference) => {
    atMs += difference;
    return atMs;
  });
  return { fromMs: Math.min(...times), toMs: Math.max(...times) + 1 };
}

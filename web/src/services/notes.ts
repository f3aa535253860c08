// What was said and not measured, of a stretch of time: sessions with their figures, and marks.
import {
  type HistoryPage,
  isHistoryPage,
  isSessionsPage,
  type Mark,
  type SessionMeasured,
  type SessionsPage,
} from "@/protocol/messages";
import type { Stretch } from "./stretches";

export interface Notes {
  /** By their start. */
  readonly sessions: readonly SessionMeasured[];
  /** In order of time. */
  readonly marks: readonly Mark[];
  /** There are more than are held here: none that begins after these moments is. Null: all are. */
  readonly sessionsUntilMs: number | null;
  readonly marksUntilMs: number | null;
}

export const NO_NOTES: Notes = {
  sessions: [],
  marks: [],
  sessionsUntilMs: null,
  marksUntilMs: null,
};

const PAGE = 500;
/** Far more than a sheet has room for, of each. */
export const NOTES_BOUND = 2_000;

export type Ask = (method: string, params: Record<string, unknown>) => Promise<unknown>;

/**
 * Rejects with `RequestError`. An answer of another shape is said, and is none. Null where it is no
 * longer wanted before all pages are here.
 */
export async function fetchNotes(
  ask: Ask,
  user: string,
  stretch: Stretch,
  isWanted: () => boolean,
): Promise<Notes | null> {
  const { fromMs, toMs } = stretch;
  const about = { user, fromMs, toMs };
  const [sessions, marks] = await Promise.all([
    allPages(
      (page) => ask("sessions", { ...about, ...page }),
      isSessionsPage,
      (page: SessionsPage) => page.sessions,
      isWanted,
    ),
    allPages(
      (page) => ask("history", { ...about, metric: "mark", resolution: "raw", ...page }),
      isHistoryPage,
      marksOf,
      isWanted,
    ),
  ]);
  if (sessions === null || marks === null) {
    return null;
  }
  return {
    sessions: sessions.found,
    marks: [...marks.found].sort((a, b) => a.atMs - b.atMs),
    sessionsUntilMs: sessions.hasMore ? (sessions.found.at(-1)?.session.startMs ?? fromMs) : null,
    marksUntilMs: marks.hasMore ? (marks.found.at(-1)?.atMs ?? fromMs) : null,
  };
}

interface Found<One> {
  readonly found: readonly One[];
  readonly hasMore: boolean;
}

/** Up to the bound; null where it is no longer wanted. */
async function allPages<Page extends { readonly next?: string | null }, One>(
  ask: (page: Record<string, unknown>) => Promise<unknown>,
  isPage: (answer: unknown) => answer is Page,
  all: (page: Page) => readonly One[],
  isWanted: () => boolean,
): Promise<Found<One> | null> {
  const found: One[] = [];
  let after: string | null = null;
  do {
    const answer = await ask({ limit: PAGE, ...(after === null ? {} : { after }) });
    const next = isPage(answer) ? (answer.next ?? null) : null;
    if (!isPage(answer) || (next !== null && next === after)) {
      console.error("The answer to a question for sessions or marks is none.");
      return { found, hasMore: false };
    }
    found.push(...all(answer));
    after = next;
    if (!isWanted()) {
      return null;
    }
  } while (after !== null && found.length < NOTES_BOUND);
  return { found, hasMore: after !== null };
}

/** A mark is a reading without a value; its words are a column that only this metric has. */
function marksOf(page: HistoryPage): Mark[] {
  const found: Mark[] = [];
  for (const series of page.series) {
    const labels = (series as { readonly label?: unknown }).label;
    let atMs = 0;
    for (const [index, difference] of series.atMs.entries()) {
      atMs += difference;
      const label: unknown = Array.isArray(labels) ? labels[index] : null;
      found.push({ atMs, label: typeof label === "string" ? label : "" });
    }
  }
  return found;
}

// What was said and not measured, of a stretch of time: sessions with their figures, and marks.
import {
  type HistoryPage,
  isHistoryPage,
  isSessionsPage,
  type Mark,
  type SessionMeasured,
} from "@/protocol/messages";
import type { Stretch } from "./stretches";

export interface Notes {
  /** By their start. */
  readonly sessions: readonly SessionMeasured[];
  /** In order of time. */
  readonly marks: readonly Mark[];
}

export const NO_NOTES: Notes = { sessions: [], marks: [] };

/** More than a sheet has room for. */
const MOST = 200;

export type Ask = (method: string, params: Record<string, unknown>) => Promise<unknown>;

/** Rejects with `RequestError`. An answer of another shape is said, and is none. */
export async function fetchNotes(ask: Ask, user: string, stretch: Stretch): Promise<Notes> {
  const { fromMs, toMs } = stretch;
  const [sessions, marks] = await Promise.all([
    ask("sessions", { user, fromMs, toMs, limit: MOST }),
    ask("history", { user, metric: "mark", fromMs, toMs, resolution: "raw", limit: MOST }),
  ]);
  if (!isSessionsPage(sessions) || !isHistoryPage(marks)) {
    console.error("The answer to a question for sessions or marks is none.");
    return NO_NOTES;
  }
  return { sessions: sessions.sessions, marks: marksOf(marks) };
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
  return found.sort((a, b) => a.atMs - b.atMs);
}

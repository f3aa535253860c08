// How much of the past a sheet shows, how finely, and where its axis is labelled.
import type { Resolution } from "@/protocol/messages";
import { clock } from "./words";

export interface Span {
  readonly id: string;
  /** On its button. */
  readonly name: string;
  /** In a sentence: "the last five minutes". */
  readonly words: string;
  readonly lengthMs: number;
  readonly resolution: Resolution;
  /** Of a session: it shows all since then, and grows. */
  readonly sinceMs?: number;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export const FIVE_MINUTES: Span = {
  id: "5min",
  name: "5 min",
  words: "five minutes",
  lengthMs: 5 * MINUTE_MS,
  resolution: "raw",
};

/** From the nearest to the farthest: a step from one to the next shows more, less finely. */
export const SPANS: readonly Span[] = [
  FIVE_MINUTES,
  {
    id: "30min",
    name: "30 min",
    words: "half hour",
    lengthMs: 30 * MINUTE_MS,
    resolution: "second",
  },
  { id: "day", name: "Day", words: "24 hours", lengthMs: DAY_MS, resolution: "minute" },
  { id: "week", name: "Week", words: "seven days", lengthMs: 7 * DAY_MS, resolution: "hour" },
  { id: "month", name: "Month", words: "thirty days", lengthMs: 30 * DAY_MS, resolution: "day" },
];

/** A session's own span now: as finely as its length lets a sheet show. */
export function spanOfSession(sinceMs: number, nowMs: number): Span {
  const own = { id: "session", name: "Session", words: "session", sinceMs };
  const atLeast = Math.max(MINUTE_MS, nowMs - sinceMs);
  if (atLeast <= 40 * MINUTE_MS) {
    return { ...own, lengthMs: atLeast, resolution: "second" };
  }
  return { ...own, lengthMs: atLeast, resolution: atLeast <= 2 * DAY_MS ? "minute" : "hour" };
}

export interface Tick {
  readonly atMs: number;
  readonly label: string;
}

const STEPS_MS = [
  MINUTE_MS,
  2 * MINUTE_MS,
  5 * MINUTE_MS,
  10 * MINUTE_MS,
  15 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  2 * HOUR_MS,
  3 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
];
const STEPS_DAYS = [1, 2, 5, 7, 14];
const WEEKDAY = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric" });
const DAY_OF_MONTH = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** Round moments of this screen's clock, at most `most` of them. */
export function ticksOf(fromMs: number, toMs: number, most: number): Tick[] {
  const lengthMs = toMs - fromMs;
  const stepMs = STEPS_MS.find((step) => lengthMs / step <= most);
  return stepMs === undefined || lengthMs > 2 * DAY_MS
    ? days(fromMs, toMs, most)
    : hours(fromMs, toMs, stepMs);
}

function hours(fromMs: number, toMs: number, stepMs: number): Tick[] {
  const found: Tick[] = [];
  const midnight = new Date(fromMs).setHours(0, 0, 0, 0);
  const first = midnight + Math.ceil((fromMs - midnight) / stepMs) * stepMs;
  for (let atMs = first; atMs <= toMs; atMs += stepMs) {
    found.push({ atMs, label: clock(atMs) });
  }
  return found;
}

/** By the calendar: a day with a change of the clock is longer or shorter. */
function days(fromMs: number, toMs: number, most: number): Tick[] {
  const step = STEPS_DAYS.find((one) => (toMs - fromMs) / (one * DAY_MS) <= most) ?? 30;
  const named = toMs - fromMs <= 8 * DAY_MS ? WEEKDAY : DAY_OF_MONTH;
  const found: Tick[] = [];
  const day = new Date(new Date(fromMs).setHours(0, 0, 0, 0));
  for (day.setDate(day.getDate() + 1); day.getTime() <= toMs; day.setDate(day.getDate() + step)) {
    found.push({ atMs: day.getTime(), label: named.format(day) });
  }
  return found;
}

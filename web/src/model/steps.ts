// Steps by hour and by day: bars, of which the running one is not over.
import type { PastRecord } from "@/services/past";
import type { Stretch } from "@/services/stretches";

export interface StepsBar {
  readonly fromMs: number;
  readonly toMs: number;
  /** Null where nothing was measured. */
  readonly steps: number | null;
  readonly running: boolean;
  /** Still to come. */
  readonly ahead: boolean;
}

const HOUR_MS = 3_600_000;
const DAYS = 7;

/** The hours of the day that ends at `dayEndsMs`, as many as it has. */
export function hoursOfDay(record: PastRecord, dayEndsMs: number, nowMs: number): StepsBar[] {
  const bars: StepsBar[] = [];
  for (let fromMs = daysBefore(dayEndsMs, 1); fromMs < dayEndsMs; fromMs += HOUR_MS) {
    bars.push(barOf(record, fromMs, fromMs + HOUR_MS, nowMs));
  }
  return bars;
}

/** The seven days up to the one that ends at `dayEndsMs`. */
export function daysOfWeek(record: PastRecord, dayEndsMs: number, nowMs: number): StepsBar[] {
  return weekUntil(dayEndsMs).map(({ fromMs, toMs }) => barOf(record, fromMs, toMs, nowMs));
}

/** Seven days, the oldest first. */
export function weekUntil(dayEndsMs: number): Stretch[] {
  return Array.from({ length: DAYS }, (_, index) => ({
    fromMs: daysBefore(dayEndsMs, DAYS - index),
    toMs: daysBefore(dayEndsMs, DAYS - index - 1),
  }));
}

/** By the calendar of this screen: a day with a change of the clock is longer or shorter. */
export function daysBefore(atMs: number, days: number): number {
  const at = new Date(atMs);
  at.setDate(at.getDate() - days);
  return at.getTime();
}

function barOf(record: PastRecord, fromMs: number, toMs: number, nowMs: number): StepsBar {
  const taken = record.buckets.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
  return {
    fromMs,
    toMs,
    steps: taken.length === 0 ? null : taken.reduce((sum, one) => sum + (one.taken ?? 0), 0),
    running: fromMs <= nowMs && nowMs < toMs,
    ahead: fromMs > nowMs,
  };
}

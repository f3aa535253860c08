// Steps by hour and by day of a person's own clocks: bars, of which the running one is not over.
import type { PastRecord } from "@/services/past";
import type { Stretch } from "@/services/stretches";
import type { Calendar } from "./calendar";

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
const DAY_MS = 24 * HOUR_MS;
const DAYS = 7;

/**
 * How finely hours are asked for: those of an answer are of UTC, which are not the person's where
 * a day begins or ends within one.
 */
export function finenessOfHours({ fromMs, toMs }: Stretch): "hour" | "minute" {
  return fromMs % HOUR_MS === 0 && toMs % HOUR_MS === 0 ? "hour" : "minute";
}

/** The hours of one day, as many as it has. */
export function hoursOfDay(record: PastRecord, day: Stretch, nowMs: number): StepsBar[] {
  const bars: StepsBar[] = [];
  for (let { fromMs } = day; fromMs < day.toMs; fromMs += HOUR_MS) {
    bars.push(barOf(record, fromMs, Math.min(fromMs + HOUR_MS, day.toMs), nowMs));
  }
  return bars;
}

export function daysOfWeek(
  record: PastRecord,
  week: readonly Stretch[],
  nowMs: number,
): StepsBar[] {
  return week.map(({ fromMs, toMs }) => barOf(record, fromMs, toMs, nowMs));
}

/** Seven days, the oldest first, up to the one that is not over before `dayEndsMs`. */
export function weekUntil(dayEndsMs: number, calendar: Calendar): Stretch[] {
  return Array.from({ length: DAYS }, (_, index) =>
    dayUntil(dayEndsMs, calendar, index + 1 - DAYS),
  );
}

export function dayUntil(dayEndsMs: number, calendar: Calendar, days = 0): Stretch {
  return {
    fromMs: calendar.dayBegins(dayEndsMs - 1, days),
    toMs: calendar.dayBegins(dayEndsMs - 1, days + 1),
  };
}

/** What is asked for to know the days of the week, in whatever zone: days reach over its ends. */
export function weekAsked(dayEndsMs: number): Stretch {
  return { fromMs: dayEndsMs - DAYS * DAY_MS, toMs: dayEndsMs };
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

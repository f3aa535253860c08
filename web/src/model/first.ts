// Before a person's first reading nothing was expected: that time is empty, and no gap.
import { BUCKET_MS, type PastRecord } from "@/services/past";
import { missingOf, type Stretch } from "@/services/stretches";

/** When the first reading was; null: there is none. */
export interface First {
  readonly firstMs: number | null;
}

/** The part of a sheet that is before it. */
export interface Before extends First, Stretch {}

const DAY_MS = BUCKET_MS.day;
const MINUTE_MS = BUCKET_MS.minute;

/** The running end is never known for good; what of it is here is what there is. */
const UNSETTLED_MS = MINUTE_MS + 10_000;

/** Further back than anyone looks here. */
const BACK_MS = 400 * DAY_MS;

/** What is asked for to know the day of the first reading. */
export function daysAsked(dayEndsMs: number): Stretch {
  return { fromMs: Math.max(0, dayEndsMs - BACK_MS), toMs: dayEndsMs };
}

/** The day of the first reading; null where it is not known, "none" where there is no reading. */
export function firstDay(days: PastRecord, asked: Stretch, nowMs: number): Stretch | "none" | null {
  const first = days.buckets.find(({ count }) => count > 0);
  const untilMs = Math.min(first?.atMs ?? nowMs, nowMs - 2 * DAY_MS - UNSETTLED_MS);
  if (missingOf({ fromMs: asked.fromMs, toMs: untilMs }, days.known).length > 0) {
    return null;
  }
  return first === undefined ? "none" : { fromMs: first.atMs, toMs: first.atMs + DAY_MS };
}

/** By the minute, within that day; null where it is not known. */
export function firstOf(
  day: Stretch | "none" | null,
  minutes: PastRecord,
  nowMs: number,
): First | null {
  if (day === "none") {
    return { firstMs: null };
  }
  const first =
    day === null
      ? undefined
      : minutes.buckets.find(
          ({ atMs, count }) => atMs >= day.fromMs && atMs < day.toMs && count > 0,
        );
  return day === null ||
    first === undefined ||
    missingOf(
      { fromMs: day.fromMs, toMs: Math.min(first.atMs, nowMs - UNSETTLED_MS) },
      minutes.known,
    ).length > 0
    ? null
    : { firstMs: first.atMs };
}

/** What of the sheet is before the first reading; null: nothing, or it is not known. */
export function beforeOf(first: First | null, { fromMs, toMs }: Stretch): Before | null {
  if (first === null) {
    return null;
  }
  const untilMs = Math.min(toMs, first.firstMs ?? toMs);
  return untilMs <= fromMs ? null : { ...first, fromMs, toMs: untilMs };
}

/** Gaps without what is before the first reading, which is known to the minute. */
export function afterFirst<One extends Stretch>(
  gaps: readonly One[],
  before: Before | null,
): One[] {
  if (before === null) {
    return [...gaps];
  }
  return gaps
    .filter(({ toMs }) => toMs > before.toMs + MINUTE_MS)
    .map((gap) => ({ ...gap, fromMs: Math.max(gap.fromMs, before.toMs) }));
}

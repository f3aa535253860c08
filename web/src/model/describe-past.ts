// A stretch of the past in sentences and in rows: for those who hear it, and for a table.
import type { HeartRateData, SessionMeasured } from "@/protocol/messages";
import type { Stretch } from "@/services/stretches";
import { gapLabel } from "./describe";
import type { Before } from "./first";
import type { PastGap, PastSheet } from "./past";
import { whyLong } from "./why";
import { clock, clockWithSeconds, duration, readings as readingsWords, shortDay } from "./words";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** "radio lost: strap heard, no link, 38 s, 14:01:48 to 14:02:26": all that is to be said of it. */
export function pastGapWhole(gap: PastGap, nowMs: number): string {
  return `${gapLabel(gap)}, ${stretchWords(gap.fromMs, gap.toMs, nowMs)}`;
}

/** "14:00:40 to 14:05:40", "Tue 14 Oct, 08:00 to 20:00", "8 to 14 Oct". */
export function stretchWords(fromMs: number, toMs: number, nowMs: number): string {
  const lengthMs = toMs - fromMs;
  if (lengthMs > 2 * DAY_MS) {
    return `${shortDay(fromMs)} to ${shortDay(toMs - 1)}`;
  }
  const time = lengthMs <= HOUR_MS ? clockWithSeconds : clock;
  const from = shortDay(fromMs) === shortDay(nowMs) ? "" : `${shortDay(fromMs)}, `;
  const until = shortDay(toMs - 1) === shortDay(fromMs) ? "" : `${shortDay(toMs - 1)}, `;
  return `${from}${time(fromMs)} to ${until}${time(toMs)}`;
}

/** "Nothing before 02:58": nobody was expected to be measured then. */
export function beforeWords({ firstMs }: Before, nowMs: number): string {
  if (firstMs === null) {
    return "Nothing measured yet";
  }
  const day = shortDay(firstMs) === shortDay(nowMs) ? "" : `${shortDay(firstMs)}, `;
  return `Nothing before ${day}${clock(firstMs)}`;
}

const CHARACTER_PX = 6.4;
const PLATE_PX = 16;

/** Whether a label stands within its stretch of a sheet of this width. */
export function fitsOn(sheet: Stretch, label: string, stretch: Stretch, sheetPx: number): boolean {
  const share = (stretch.toMs - stretch.fromMs) / (sheet.toMs - sheet.fromMs);
  return label.length * CHARACTER_PX + PLATE_PX <= share * sheetPx;
}

function uncapital(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

const MOST_GAPS = 5;

/** "Tomás Reyes, heart rate from 08:00 to 14:00: average 72, 54 to 131, of 20,130 readings; …". */
export function describePast(sheet: PastSheet, name: string): string {
  const when = stretchWords(sheet.fromMs, sheet.toMs, sheet.toMs);
  const parts = [`${name}, heart rate, ${when}: ${figuresWords(sheet)}`];
  const shown = [...sheet.gaps].sort((a, b) => b.toMs - b.fromMs - (a.toMs - a.fromMs));
  if (sheet.before !== null) {
    parts.push(uncapital(beforeWords(sheet.before, sheet.toMs)));
  }
  for (const gap of shown.slice(0, MOST_GAPS)) {
    const length = duration(gap.toMs - gap.fromMs);
    parts.push(`${length} missing from ${clock(gap.fromMs)}, ${whyLong(gap.why)}`);
  }
  if (shown.length > MOST_GAPS) {
    parts.push(`${shown.length - MOST_GAPS} more gaps`);
  }
  if (sheet.pending.length > 0) {
    parts.push("a part is still being fetched");
  }
  return parts.join("; ");
}

export function figuresWords(sheet: PastSheet): string {
  const { average, least, most } = sheet;
  return average === null || least === null || most === null
    ? sheet.pending.length > 0
      ? "being fetched"
      : "nothing measured"
    : `average ${Math.round(average)}, ${Math.round(least)} to ${Math.round(most)}, ` +
        `of ${readingsWords(sheet.count)}`;
}

/**
 * "Intervals, 13:21 to 14:05: average 149, 96 to 176, of 2,586 readings". One that runs has the
 * present's own figures: those that were fetched with it are of that moment.
 */
export function sessionWords(
  measured: SessionMeasured,
  nowMs: number,
  live: HeartRateData | null,
): string {
  const { session, readings } = measured;
  const running = session.endMs === null && live !== null && live.over === "session";
  const { average, min, max } = running ? live : measured;
  const name = session.name === "" ? "Session" : session.name;
  const when =
    session.endMs === null
      ? `since ${stretchWords(session.startMs, session.startMs + HOUR_MS + 1, nowMs).split(" to ")[0]}`
      : stretchWords(session.startMs, Math.max(session.endMs, session.startMs + 1), nowMs);
  if (average === null || min === null || max === null) {
    return `${name}, ${when}: nothing measured`;
  }
  const range = `${Math.round(min)} to ${Math.round(max)}`;
  const of = running ? "so far" : `of ${readingsWords(readings)}`;
  return `${name}, ${when}: average ${Math.round(average)}, ${range}, ${of}`;
}

export interface Row {
  readonly fromMs: number;
  readonly when: string;
  /** Null: a gap, and `why` says it. */
  readonly figures: readonly [mean: number, low: number, high: number, readings: number] | null;
  readonly why: string;
}

/** In order of time, gaps among them. */
export function rowsOf(sheet: PastSheet): Row[] {
  const time = timeWords(sheet);
  const means = sheet.runs.flat().map(
    (mean): Row => ({
      fromMs: mean.fromMs,
      when: time(mean.fromMs),
      figures: [Math.round(mean.mean), Math.round(mean.low), Math.round(mean.high), mean.count],
      why: mean.running ? "so far" : "",
    }),
  );
  const gaps = sheet.gaps.map(
    (gap): Row => ({
      fromMs: gap.fromMs,
      when: time(gap.fromMs),
      figures: null,
      why: `${whyLong(gap.why)}, ${duration(gap.lengthMs ?? gap.toMs - gap.fromMs)}`,
    }),
  );
  return [...means, ...gaps].sort((a, b) => a.fromMs - b.fromMs);
}

function timeWords({ fromMs, toMs }: PastSheet): (atMs: number) => string {
  const lengthMs = toMs - fromMs;
  if (lengthMs <= 2 * HOUR_MS) {
    return clockWithSeconds;
  }
  if (lengthMs <= DAY_MS) {
    return clock;
  }
  return lengthMs <= 8 * DAY_MS ? (atMs) => `${shortDay(atMs)}, ${clock(atMs)}` : shortDay;
}

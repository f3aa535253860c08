// What a heart rate is at this moment: fresh, ageing, stale or missing, and what is left of it.
import type { HeartRateData } from "@/protocol/messages";
import type { Line, Point } from "@/services/lines";
import { refusal } from "./missing";

export type ValueState = "fresh" | "ageing" | "stale" | "missing";

export interface RateView {
  readonly state: ValueState;
  /** Only while it is the present. */
  readonly bpm: number | null;
  readonly atMs: number | null;
  readonly ageMs: number;
  /** When it stops being the present, by the server's clock; null where nothing runs out. */
  readonly endsMs: number | null;
  readonly freshForMs: number;
  /** The last real one: what a stale value was. */
  readonly was: { readonly bpm: number; readonly atMs: number } | null;
}

const USUAL_MS = 1_000;
const LATE_INTERVALS = 3;
const LEAST_LATE_MS = 2_500;
const SAMPLE = 20;

/** Later than this, a reading is later than usual: three intervals of this device. */
export function lateAfterMs(line: Line, freshForMs: number): number {
  const recent = line.slice(-SAMPLE);
  const intervals = recent
    .slice(1)
    .map((point, index) => point.atMs - (recent[index]?.atMs ?? point.atMs))
    .sort((a, b) => a - b);
  const usualMs = intervals[Math.floor(intervals.length / 2)] ?? USUAL_MS;
  return Math.min(freshForMs, Math.max(LEAST_LATE_MS, usualMs * LATE_INTERVALS));
}

export function rateView(
  data: HeartRateData | null,
  line: Line,
  nowMs: number | null,
  deviceConnected: boolean,
): RateView {
  const was = lastReal(data, line);
  const freshForMs = data?.freshForMs ?? 0;
  const none = { bpm: null, atMs: null, ageMs: 0, endsMs: null, freshForMs, was };
  if (data === null || data.last === null) {
    return { ...none, state: "missing" };
  }
  const { current, last } = data;
  if (nowMs === null || current === null || current <= 0) {
    return { ...none, state: was === null ? "missing" : "stale" };
  }
  const ageMs = Math.max(0, nowMs - last.atMs);
  const held = data.onChange && deviceConnected;
  if (!held && ageMs > freshForMs) {
    return { ...none, state: "stale" };
  }
  return {
    state: !held && ageMs > lateAfterMs(line, freshForMs) ? "ageing" : "fresh",
    bpm: Math.round(current),
    atMs: last.atMs,
    ageMs,
    endsMs: held ? null : last.atMs + freshForMs,
    freshForMs,
    was,
  };
}

function lastReal(data: HeartRateData | null, line: Line): RateView["was"] {
  const last = data?.last ?? null;
  if (
    last !== null &&
    last.value !== null &&
    refusal({ value: last.value, quality: last.quality ?? [] }) === null
  ) {
    return { bpm: Math.round(last.value), atMs: last.atMs };
  }
  const point = lastDrawn(line);
  return point === undefined || point.value === null
    ? null
    : { bpm: Math.round(point.value), atMs: point.atMs };
}

export function lastDrawn(line: Line): Point | undefined {
  return line.findLast((point) => refusal(point) === null);
}

export interface Trend {
  readonly direction: "up" | "down" | "level";
  readonly by: number;
}

const MINUTE_MS = 60_000;
const NEAR_MS = 5_000;
const LEVEL_BPM = 2;

/** How much the rate changed within a minute; null where there is no reading a minute back. */
export function trendOf(line: Line): Trend | null {
  const last = lastDrawn(line);
  if (last === undefined) {
    return null;
  }
  const thenMs = last.atMs - MINUTE_MS;
  let nearest: Point | null = null;
  for (const point of line) {
    const distance = Math.abs(point.atMs - thenMs);
    const best = nearest === null ? NEAR_MS : Math.abs(nearest.atMs - thenMs);
    if (distance <= best && refusal(point) === null) {
      nearest = point;
    }
  }
  if (nearest === null) {
    return null;
  }
  const change = Math.round((last.value ?? 0) - (nearest.value ?? 0));
  const direction = Math.abs(change) <= LEVEL_BPM ? "level" : change > 0 ? "up" : "down";
  return { direction, by: Math.abs(change) };
}

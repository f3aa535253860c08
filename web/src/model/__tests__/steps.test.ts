import { expect, test } from "vitest";
import type { PastRecord } from "@/services/past";
import { daysBefore, daysOfWeek, hoursOfDay } from "../steps";

const HOUR = 3_600_000;
const MIDNIGHT = new Date(2025, 9, 15).getTime();
const MORNING = daysBefore(MIDNIGHT, 1);

function record(taken: readonly (readonly [atMs: number, taken: number])[]): PastRecord {
  const buckets = taken.map(([atMs, steps]) => ({
    atMs,
    count: 1,
    average: null,
    min: null,
    max: null,
    taken: steps,
  }));
  return { points: [], buckets, known: [], zone: null };
}

test("the hours of a day: what was taken in each, the running one said to be so", () => {
  const nowMs = MORNING + 14 * HOUR + 60_000;
  const of = record([
    [MORNING + 8 * HOUR, 1_200],
    [MORNING + 14 * HOUR, 30],
  ]);
  const bars = hoursOfDay(of, MIDNIGHT, nowMs);
  expect(bars).toHaveLength(24);
  expect(bars[8]).toMatchObject({ steps: 1_200, running: false, ahead: false });
  expect(bars[9]).toMatchObject({ steps: null });
  expect(bars[14]).toMatchObject({ steps: 30, running: true });
  expect(bars[15]).toMatchObject({ steps: null, ahead: true });
});

test("the week by its days, the oldest first, today last", () => {
  const of = record([
    [daysBefore(MIDNIGHT, 7), 900],
    [MORNING, 4_000],
  ]);
  const bars = daysOfWeek(of, MIDNIGHT, MORNING + HOUR);
  expect(bars.map(({ steps }) => steps)).toEqual([900, null, null, null, null, null, 4_000]);
  expect(bars.at(-1)).toMatchObject({ running: true, toMs: MIDNIGHT });
});

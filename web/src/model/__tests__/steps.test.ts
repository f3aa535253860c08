import { beforeAll, expect, test, vi } from "vitest";
import type { PastRecord } from "@/services/past";
import { Calendar } from "../calendar";
import { daysOfWeek, dayUntil, finenessOfHours, hoursOfDay, weekAsked, weekUntil } from "../steps";

const HOUR = 3_600_000;
const MINUTE = 60_000;
const UTC = new Calendar("UTC");
const MIDNIGHT = Date.parse("2025-10-15T00:00Z");
const DAY = { fromMs: MIDNIGHT - 24 * HOUR, toMs: MIDNIGHT };

beforeAll(() => {
  // The screen is elsewhere than everyone below.
  vi.stubEnv("TZ", "America/New_York");
  return () => vi.unstubAllEnvs();
});

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
  const nowMs = DAY.fromMs + 14 * HOUR + MINUTE;
  const of = record([
    [DAY.fromMs + 8 * HOUR, 1_200],
    [DAY.fromMs + 14 * HOUR, 30],
  ]);
  expect(dayUntil(MIDNIGHT, UTC)).toEqual(DAY);
  const bars = hoursOfDay(of, DAY, nowMs);
  expect(bars).toHaveLength(24);
  expect(bars[8]).toMatchObject({ steps: 1_200, running: false, ahead: false });
  expect(bars[9]).toMatchObject({ steps: null });
  expect(bars[14]).toMatchObject({ steps: 30, running: true });
  expect(bars[15]).toMatchObject({ steps: null, ahead: true });
});

test("the week by its days, the oldest first, today last", () => {
  const of = record([
    [MIDNIGHT - 7 * 24 * HOUR, 900],
    [DAY.fromMs, 4_000],
  ]);
  const bars = daysOfWeek(of, weekUntil(MIDNIGHT, UTC), DAY.fromMs + HOUR);
  expect(bars.map(({ steps }) => steps)).toEqual([900, null, null, null, null, null, 4_000]);
  expect(bars.at(-1)).toMatchObject({ running: true, toMs: MIDNIGHT });
});

// The days as a server answers them: each from midnight to midnight of the person's clocks.
test.each([
  [
    "Europe/Berlin, where clocks went forward",
    "Europe/Berlin",
    ["25T23", "26T23", "27T23", "28T23", "29T22", "30T22", "31T22"],
    "2026-04-01T22:00Z",
  ],
  [
    "UTC",
    "UTC",
    ["26T00", "27T00", "28T00", "29T00", "30T00", "31T00", "2026-04-01T00"],
    "2026-04-02T00:00Z",
  ],
  [
    "Asia/Kolkata",
    "Asia/Kolkata",
    ["25T18:30", "26T18:30", "27T18:30", "28T18:30", "29T18:30", "30T18:30", "31T18:30"],
    "2026-04-01T18:30Z",
  ],
])("no day of the week is missed or counted twice: %s", (_, zone, begins, ends) => {
  const at = begins.map((one) => {
    const day = one.length > 10 ? one : `2026-03-${one}`;
    return Date.parse(`${day.length === 13 ? `${day}:00` : day}Z`);
  });
  const steps = [7_000, 6_000, 5_000, 4_000, 3_000, 2_000, 1_000];
  const of = record(at.map((one, index) => [one, steps[index] ?? 0]));
  const calendar = new Calendar(zone);
  const endsMs = Date.parse(ends);
  const bars = daysOfWeek(of, weekUntil(endsMs, calendar), endsMs - HOUR);
  expect(bars.map((bar) => bar.steps)).toEqual(steps);
  expect(bars.map(({ fromMs }) => fromMs)).toEqual(at);
  expect(bars.at(-1)?.toMs).toBe(endsMs);
  // Asked for with a day to spare on either side.
  expect(weekAsked(endsMs).fromMs - 24 * HOUR).toBeLessThanOrEqual(at[0] ?? 0);
});

test.each([
  ["2026-03-29", 23],
  ["2025-10-26", 25],
])("the hours of a day on which clocks changed, %s, are %i", (date, hours) => {
  const calendar = new Calendar("Europe/Berlin");
  const day = dayUntil(calendar.dayBegins(Date.parse(`${date}T12:00Z`), 1), calendar);
  const each = Array.from({ length: hours }, (_, hour) => [day.fromMs + hour * HOUR, 1] as const);
  // Those around it are another day's.
  const of = record([[day.fromMs - HOUR, 9], ...each, [day.toMs, 9]]);
  expect(finenessOfHours(day)).toBe("hour");
  expect(hoursOfDay(of, day, day.toMs).map(({ steps }) => steps)).toEqual(Array(hours).fill(1));
});

test("hours that are not those of UTC come of minutes, and are together the day", () => {
  const calendar = new Calendar("Asia/Kolkata");
  const day = dayUntil(Date.parse("2026-06-02T18:30Z"), calendar);
  expect(day.fromMs).toBe(Date.parse("2026-06-01T18:30Z"));
  expect(finenessOfHours(day)).toBe("minute");
  const of = record([
    [day.fromMs - 10 * MINUTE, 500],
    [day.fromMs + 10 * MINUTE, 200],
    [day.fromMs + 50 * MINUTE, 300],
    [day.fromMs + 70 * MINUTE, 40],
  ]);
  const bars = hoursOfDay(of, day, day.toMs);
  expect(bars).toHaveLength(24);
  expect(bars.slice(0, 3).map(({ steps }) => steps)).toEqual([500, 40, null]);
});

test("a day that ends within an hour of UTC: the last bar is shorter", () => {
  const calendar = new Calendar("Australia/Lord_Howe");
  const day = dayUntil(calendar.dayBegins(Date.parse("2026-04-05T00:00Z"), 1), calendar);
  expect(day.toMs - day.fromMs).toBe(24.5 * HOUR);
  expect(finenessOfHours(day)).toBe("minute");
  expect(hoursOfDay(record([]), day, day.toMs).at(-1)).toMatchObject({ toMs: day.toMs });
});

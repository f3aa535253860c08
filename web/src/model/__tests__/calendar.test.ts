import { beforeAll, describe, expect, test, vi } from "vitest";
import { Calendar } from "../calendar";

const HOUR = 3_600_000;
const BERLIN = "Europe/Berlin";

beforeAll(() => {
  // The screen is in none of the zones below.
  vi.stubEnv("TZ", "America/New_York");
  return () => vi.unstubAllEnvs();
});

describe("a day begins", () => {
  test.each([
    ["UTC", "2026-04-01T15:00Z", "2026-04-01T00:00Z"],
    [BERLIN, "2026-04-01T15:00Z", "2026-03-31T22:00Z"],
    [BERLIN, "2026-03-31T21:59:59.999Z", "2026-03-30T22:00Z"],
    ["Asia/Kolkata", "2026-06-01T18:30Z", "2026-06-01T18:30Z"],
    ["Asia/Kolkata", "2026-06-01T18:29:59.999Z", "2026-05-31T18:30Z"],
    ["Pacific/Kiritimati", "2026-01-01T12:00Z", "2026-01-01T10:00Z"],
    // Midnight is skipped: the day begins when the clocks jump from 24:00 to 01:00.
    ["Africa/Cairo", "2025-04-25T12:00Z", "2025-04-24T22:00Z"],
    // Midnight comes twice: the day begins at the first.
    ["America/Havana", "2025-11-02T12:00Z", "2025-11-02T04:00Z"],
    // The day before it never was.
    ["Pacific/Apia", "2011-12-30T12:00Z", "2011-12-30T10:00Z"],
  ])("in %s at %s: %s", (zone, at, begins) => {
    expect(new Date(new Calendar(zone).dayBegins(Date.parse(at)))).toEqual(new Date(begins));
  });

  test.each([
    ["of 23 hours", "2026-03-29T12:00Z", 23],
    ["of 24 hours", "2026-03-30T12:00Z", 24],
    ["of 25 hours", "2025-10-26T12:00Z", 25],
  ])("%s", (_, at, hours) => {
    const calendar = new Calendar(BERLIN);
    const began = calendar.dayBegins(Date.parse(at));
    expect(calendar.dayBegins(began, 1) - began).toBe(hours * HOUR);
    expect(calendar.dayBegins(calendar.dayBegins(began, 1), -1)).toBe(began);
  });

  test("over the ends of months and years", () => {
    const calendar = new Calendar(BERLIN);
    expect(calendar.dayBegins(Date.parse("2026-01-01T12:00Z"), -1)).toBe(
      Date.parse("2025-12-30T23:00Z"),
    );
    expect(calendar.dayBegins(Date.parse("2024-02-28T12:00Z"), 2)).toBe(
      Date.parse("2024-02-29T23:00Z"),
    );
  });
});

test("names are of its clocks", () => {
  const calendar = new Calendar("Asia/Kolkata");
  const at = Date.parse("2026-06-01T18:30Z");
  expect([calendar.clock(at), calendar.shortDay(at), calendar.weekday(at)]).toEqual([
    "00:00",
    "Tue 2 Jun",
    "Tue",
  ]);
});

test.each([null, "Nowhere/At-All"])("a zone that is %s is the screen's", (zone) => {
  const at = Date.parse("2026-06-01T18:30Z");
  expect(new Calendar(zone).clock(at)).toBe("14:30");
  expect(new Calendar(zone).dayBegins(at)).toBe(Date.parse("2026-06-01T04:00Z"));
});

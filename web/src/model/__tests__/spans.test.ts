import { describe, expect, test } from "vitest";
import { SPANS, spanOfSession, ticksOf } from "../spans";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** A midnight of this screen. */
const MIDNIGHT = new Date(2025, 9, 14).getTime();

describe("spans", () => {
  test("each shows more than the one before, less finely, in few enough pieces", () => {
    const seconds = { raw: 1, second: 1, minute: 60, hour: 3_600, day: 86_400 };
    for (const [index, span] of SPANS.entries()) {
      expect(span.lengthMs).toBeGreaterThan(SPANS[index - 1]?.lengthMs ?? 0);
      expect(span.lengthMs / 1_000 / seconds[span.resolution]).toBeLessThanOrEqual(2_000);
    }
  });

  test.each([
    [1_000, "second", MINUTE],
    [30 * MINUTE, "second", 30 * MINUTE],
    [3 * HOUR, "minute", 3 * HOUR],
    [5 * DAY, "hour", 5 * DAY],
  ])("a session of %i ms is shown by the %s", (lengthMs, resolution, shownMs) => {
    expect(spanOfSession(5, 5 + lengthMs)).toMatchObject({ resolution, lengthMs: shownMs });
  });
});

describe("ticks", () => {
  test("on round moments of this screen's clock, as many as fit", () => {
    const ticks = ticksOf(MIDNIGHT + 7 * MINUTE, MIDNIGHT + 37 * MINUTE, 6);
    expect(ticks.map(({ label }) => label)).toEqual([
      "00:10",
      "00:15",
      "00:20",
      "00:25",
      "00:30",
      "00:35",
    ]);
    expect(ticksOf(MIDNIGHT, MIDNIGHT + DAY, 8)).toHaveLength(9);
    expect(ticksOf(MIDNIGHT, MIDNIGHT + DAY, 3)[1]?.label).toBe("12:00");
  });

  test("of more than two days they are days", () => {
    const week = ticksOf(MIDNIGHT + HOUR, MIDNIGHT + 7 * DAY, 14);
    expect(week).toHaveLength(7);
    expect(week[0]?.label).toBe("Wed 15");
    const month = ticksOf(MIDNIGHT, MIDNIGHT + 30 * DAY, 6);
    expect(month.map(({ label }) => label).slice(0, 2)).toEqual(["15 Oct", "20 Oct"]);
  });
});

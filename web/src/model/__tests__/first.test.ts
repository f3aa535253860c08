import { describe, expect, test } from "vitest";
import type { Bucket, PastRecord } from "@/services/past";
import { beforeWords, describePast } from "../describe-past";
import { afterFirst, beforeOf, daysAsked, firstDay, firstOf } from "../first";
import { pastSheetOf } from "../past";

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;
const MIDNIGHT = new Date(2025, 9, 14).getTime();
const NOW = MIDNIGHT + 12 * 60 * MINUTE;
const FIRST = MIDNIGHT + 9 * 60 * MINUTE;
const ASKED = daysAsked(MIDNIGHT + DAY);

function bucket(atMs: number): Bucket {
  return { atMs, count: 60, average: 70, min: 60, max: 80, taken: null };
}

function record(buckets: Bucket[], fromMs: number, toMs: number): PastRecord {
  return { points: [], buckets, known: [{ fromMs, toMs }], zone: null };
}

describe("the first reading", () => {
  test("is known by its day once everything before that is, by the minute within it", () => {
    const days = record([bucket(MIDNIGHT)], ASKED.fromMs, NOW - 2 * DAY);
    const day = firstDay(days, ASKED, NOW);
    expect(day).toEqual({ fromMs: MIDNIGHT, toMs: MIDNIGHT + DAY });
    const minutes = record([bucket(FIRST)], MIDNIGHT, NOW);
    expect(firstOf(day, minutes, NOW)).toEqual({ firstMs: FIRST });
    expect(firstOf(day, record([], MIDNIGHT, NOW), NOW)).toBeNull();
    expect(firstOf(day, record([bucket(FIRST)], FIRST - MINUTE, NOW), NOW)).toBeNull();
  });

  test("is not known from a week alone, and none is there where all of it is empty", () => {
    const week = record([bucket(MIDNIGHT)], MIDNIGHT - 6 * DAY, NOW);
    expect(firstDay(week, ASKED, NOW)).toBeNull();
    expect(firstDay(record([], ASKED.fromMs, NOW), ASKED, NOW)).toBe("none");
    expect(firstOf("none", week, NOW)).toEqual({ firstMs: null });
  });
});

describe("before it", () => {
  const sheet = { fromMs: MIDNIGHT, toMs: NOW };

  test("nothing is missing, and that is said quietly", () => {
    const made = pastSheetOf({
      ...sheet,
      record: record([bucket(FIRST), bucket(FIRST + 5 * MINUTE)], MIDNIGHT, NOW),
      resolution: "minute",
      spells: [],
      nowMs: NOW,
      first: { firstMs: FIRST },
    });
    expect(made.before).toEqual({ firstMs: FIRST, fromMs: MIDNIGHT, toMs: FIRST });
    expect(made.gaps[0]).toMatchObject({ fromMs: FIRST + MINUTE, toMs: FIRST + 5 * MINUTE });
    expect(describePast(made, "Maren Holt")).toContain("nothing before 09:00");
  });

  test("a reading that was earlier leaves the gap a gap", () => {
    expect(beforeOf({ firstMs: MIDNIGHT - DAY }, sheet)).toBeNull();
    expect(beforeOf(null, sheet)).toBeNull();
    expect(afterFirst([{ fromMs: MIDNIGHT, toMs: FIRST }], null)).toHaveLength(1);
  });

  test("an hour that holds the first minute begins before it, and is no gap", () => {
    const before = beforeOf({ firstMs: FIRST + 20 * MINUTE }, sheet);
    expect(afterFirst([{ fromMs: MIDNIGHT, toMs: FIRST }], before)).toEqual([]);
  });

  test("the words name the day where it is another", () => {
    const before = { ...sheet, firstMs: FIRST };
    expect(beforeWords(before, NOW)).toBe("Nothing before 09:00");
    expect(beforeWords(before, NOW + DAY)).toBe("Nothing before Tue 14 Oct, 09:00");
    expect(beforeWords({ ...sheet, firstMs: null }, NOW)).toBe("Nothing measured yet");
  });
});

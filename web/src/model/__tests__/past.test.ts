import { describe, expect, test } from "vitest";
import { heartRate } from "@/services/__tests__/fake-server";
import { Cause } from "@/services/causes";
import type { Bucket, PastRecord } from "@/services/past";
import { gapLabel } from "../describe";
import { describePast, figuresWords, rowsOf, sessionWords, stretchWords } from "../describe-past";
import { type PastInput, pastSheetOf } from "../past";
import { Missing } from "../why";
import { clock } from "../words";

const MINUTE = 60_000;
const T = new Date(2025, 9, 14, 12).getTime();

function bucket(atMs: number, average = 70, count = 60): Bucket {
  return { atMs, count, average, min: average - 10, max: average + 10, taken: null };
}

function record(buckets: Bucket[], extra: Partial<PastRecord> = {}): PastRecord {
  const known = [{ fromMs: T, toMs: T + 60 * MINUTE }];
  return { points: [], buckets, known, zone: null, ...extra };
}

function sheet(of: PastRecord, extra: Partial<PastInput> = {}) {
  return pastSheetOf({
    record: of,
    resolution: "minute",
    spells: [],
    fromMs: T,
    toMs: T + 10 * MINUTE,
    nowMs: T + 120 * MINUTE,
    first: null,
    ...extra,
  });
}

const minutes = (...at: number[]) => at.map((minute) => bucket(T + minute * MINUTE, 70 + minute));
const ALL = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

describe("a sheet of means", () => {
  test("runs where nothing is missing, and says what was measured in it", () => {
    const made = sheet(record(minutes(...ALL)));
    expect(made.runs.map((run) => run.length)).toEqual([10]);
    expect(made).toMatchObject({ gaps: [], pending: [], least: 60, most: 89, count: 600 });
    expect(made.average).toBeCloseTo(74.5);
  });

  test("each reading counts once in the average, not each minute", () => {
    const made = sheet(record([bucket(T, 60, 10), bucket(T + MINUTE, 90, 50)]));
    expect(made.average).toBeCloseTo(85);
  });

  test("the pen is lifted over a gap, and a bridge is never drawn", () => {
    const made = sheet(record(minutes(0, 1, 2, 6, 7, 8, 9)));
    expect(made.runs.map((run) => run.length)).toEqual([3, 4]);
    expect(made.gaps).toEqual([
      {
        fromMs: T + 3 * MINUTE,
        toMs: T + 6 * MINUTE,
        why: Missing.NO_READING,
        lengthMs: 3 * MINUTE,
      },
    ]);
    expect(gapLabel(made.gaps[0] ?? missing)).toBe("no reading, 3 min");
  });

  test("a gap has the cause that was seen", () => {
    const spells = [{ cause: Cause.OUT_OF_RANGE, fromMs: T + 3 * MINUTE, toMs: T + 5 * MINUTE }];
    const made = sheet(record(minutes(0, 1, 2, 6, 7, 8, 9)), { spells });
    expect(made.gaps[0]?.why).toBe(Cause.OUT_OF_RANGE);
  });

  test("a gap that reaches an edge has no length that is known", () => {
    const made = sheet(record(minutes(4, 5)));
    expect(made.gaps.map(({ lengthMs }) => lengthMs)).toEqual([null, null]);
    expect(gapLabel(made.gaps[0] ?? missing)).toBe("no reading");
  });

  test("what is not known is neither a gap nor drawn", () => {
    const known = [{ fromMs: T, toMs: T + 5 * MINUTE }];
    const made = sheet(record(minutes(0, 1, 2, 3, 4), { known }));
    expect(made.gaps).toEqual([]);
    expect(made.pending).toEqual([{ fromMs: T + 5 * MINUTE, toMs: T + 10 * MINUTE }]);
    expect(figuresWords(sheet(record([], { known: [] })))).toBe("being fetched");
  });

  test("at the present the running minute is no gap, and ends now", () => {
    const nowMs = T + 10 * MINUTE - 20_000;
    const known = [{ fromMs: T, toMs: T + 9 * MINUTE }];
    const made = sheet(record(minutes(...ALL), { known }), { nowMs, toMs: nowMs });
    expect(made.gaps).toEqual([]);
    expect(made.pending).toEqual([]);
    expect(made.runs[0]?.at(-1)).toMatchObject({ running: true, toMs: nowMs });
  });

  test("seconds of a strap that does not send on them are no gap", () => {
    const seconds = [0, 1, 3, 4, 7].map((second) => bucket(T + second * 1_000, 70, 1));
    const made = sheet(record(seconds), { resolution: "second", toMs: T + 8_000 });
    expect(made.runs).toHaveLength(1);
    expect(made.gaps).toEqual([]);
  });
});

const missing = { fromMs: 0, toMs: 0, why: Missing.NO_READING, lengthMs: null };

describe("in words", () => {
  test("for those who hear it", () => {
    const made = sheet(record(minutes(0, 1, 2, 6, 7, 8, 9)));
    const said = describePast(made, "Maren Holt");
    expect(said).toContain("Maren Holt, heart rate, 12:00:00 to 12:10:00: average 75, 60 to 89");
    expect(said).toContain(`3 min missing from ${clock(T + 3 * MINUTE)}, no reading`);
    expect(describePast(sheet(record([])), "Maren Holt")).toContain("nothing measured");
  });

  test("in rows, gaps among them", () => {
    const rows = rowsOf(sheet(record(minutes(0, 1, 3, 4, 5, 6, 7, 8, 9))));
    expect(rows).toHaveLength(10);
    expect(rows[0]).toMatchObject({ when: "12:00:00", figures: [70, 60, 80, 60] });
    expect(rows[2]).toMatchObject({ figures: null, why: "no reading, 1 min" });
  });

  test("a stretch by its times, with its days where they are not today", () => {
    const DAY = 86_400_000;
    expect(stretchWords(T, T + 5 * MINUTE, T)).toBe("12:00:00 to 12:05:00");
    expect(stretchWords(T, T + 3 * 60 * MINUTE, T)).toBe("12:00 to 15:00");
    expect(stretchWords(T, T + 60 * MINUTE, T + DAY)).toBe("Tue 14 Oct, 12:00:00 to 13:00:00");
    expect(stretchWords(T, T + DAY, T)).toBe("12:00 to Wed 15 Oct, 12:00");
    expect(stretchWords(T, T + 7 * DAY, T)).toBe("Tue 14 Oct to Tue 21 Oct");
  });

  test("a session with what was measured in it", () => {
    const session = { id: "s", name: "Intervals", startMs: T, endMs: T + 44 * MINUTE };
    const measured = { session, readings: 2_586, average: 149.2, min: 96, max: 176 };
    expect(sessionWords(measured, T, null)).toBe(
      "Intervals, 12:00:00 to 12:44:00: average 149, 96 to 176, of 2,586 readings",
    );
    const live = heartRate({ over: "session", average: 93.4, min: 87, max: 100 });
    const open = { ...measured, readings: 1, session: { ...session, endMs: null } };
    expect(sessionWords(open, T, live)).toBe(
      "Intervals, since 12:00: average 93, 87 to 100, so far",
    );
    expect(sessionWords(open, T, null)).toContain("of 1 reading");
    expect(sessionWords(open, T, null)).not.toContain("readings");
    const running = { ...measured, session: { ...session, name: "", endMs: null }, average: null };
    expect(sessionWords(running, T, null)).toBe("Session, since 12:00: nothing measured");
  });
});

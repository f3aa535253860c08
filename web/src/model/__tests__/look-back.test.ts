import { describe, expect, test } from "vitest";
import type { PastRecord } from "@/services/past";
import {
  asPast,
  fetched,
  grown,
  type Looking,
  movedBy,
  movedTo,
  neighbour,
  rawSheetOf,
  spanned,
  stretchOf,
} from "../look-back";
import { FIVE_MINUTES, SPANS, spanOfSession } from "../spans";
import { Missing } from "../why";
import { NOW, point, readings } from "./people-of";

const LIVE: Looking = { span: FIVE_MINUTES, endMs: null };
const [, HALF_HOUR = FIVE_MINUTES, DAY = FIVE_MINUTES] = SPANS;

describe("moving", () => {
  test("at the present it goes with it", () => {
    expect(stretchOf(LIVE, NOW)).toEqual({ fromMs: NOW - 300_000, toMs: NOW });
    expect(stretchOf(LIVE, NOW + 5)).toEqual({ fromMs: NOW - 299_995, toMs: NOW + 5 });
  });

  test("back it stands still, and never goes past the present", () => {
    const back = movedBy(LIVE, -60_000, NOW);
    expect(stretchOf(back, NOW + 9_000).toMs).toBe(NOW - 60_000);
    expect(movedBy(back, 59_000, NOW).endMs).toBe(NOW - 1_000);
    expect(movedBy(back, 60_000, NOW)).toEqual(LIVE);
    expect(movedTo(LIVE, -5, NOW).endMs).toBe(300_000);
  });

  test("another length keeps the middle where it was", () => {
    const back = movedTo(LIVE, NOW - 86_400_000, NOW);
    const wider = spanned(back, HALF_HOUR, NOW);
    expect((wider.endMs ?? 0) - HALF_HOUR.lengthMs / 2).toBe(NOW - 86_400_000 - 150_000);
    expect(spanned(movedTo(LIVE, NOW - 1_000, NOW), DAY, NOW)).toEqual({ span: DAY, endMs: null });
    expect(spanned(LIVE, DAY, NOW)).toEqual({ span: DAY, endMs: null });
  });

  test("more and less, from a session's own length too", () => {
    expect(neighbour(FIVE_MINUTES, 1)).toBe(HALF_HOUR);
    expect(neighbour(FIVE_MINUTES, -1)).toBe(FIVE_MINUTES);
    const session = spanOfSession(NOW - 3_600_000, NOW);
    expect(neighbour(session, 1)).toBe(DAY);
    expect(neighbour(session, -1)).toBe(HALF_HOUR);
  });

  test("a session is shown since it began, however long that is by now", () => {
    const began = NOW - 120_000;
    const clicked: Looking = { span: spanOfSession(began, NOW), endMs: null };
    const later = NOW + 3_600_000;
    const now = grown(clicked, began, later);
    expect(stretchOf(now, later)).toEqual({ fromMs: began, toMs: later });
    expect(now.span.resolution).toBe("minute");
    // When it is over, what was looked at stays; back from the present it stands still.
    expect(grown(clicked, null, later)).toEqual(now);
    const back = movedBy(now, -60_000, later);
    expect(grown(back, began, later + 9_000)).toBe(back);
    expect(grown(LIVE, began, later)).toBe(LIVE);
    // Another one begins: "This session" is that.
    expect(stretchOf(grown(clicked, later - 300_000, later), later).fromMs).toBe(later - 300_000);
  });

  test("a session that grows asks as seldom as what does not", () => {
    const began = NOW - 20 * 3_600_000;
    const asked = new Set<string>();
    for (let second = 0; second < 600; second += 1) {
      const looking = grown(
        { span: spanOfSession(began, NOW), endMs: null },
        began,
        NOW + second * 1_000,
      );
      asked.add(JSON.stringify(fetched(stretchOf(looking, NOW + second * 1_000), looking.span)));
    }
    expect(asked.size).toBeLessThanOrEqual(11);
  });

  test("what is fetched steps, so that a sheet at the present asks seldom", () => {
    const asked = new Set<number>();
    for (let second = 0; second < 60; second += 1) {
      asked.add(fetched(stretchOf({ span: DAY, endMs: null }, NOW + second * 1_000), DAY).toMs);
    }
    expect(asked.size).toBeLessThanOrEqual(2);
    const { fromMs, toMs } = fetched(stretchOf(LIVE, NOW), FIVE_MINUTES);
    expect(fromMs).toBeLessThanOrEqual(NOW - 360_000);
    expect(toMs).toBeGreaterThanOrEqual(NOW + 60_000);
  });
});

describe("five minutes that are past", () => {
  const stretch = { fromMs: NOW - 600_000, toMs: NOW - 300_000 };
  const known = [{ fromMs: NOW - 660_000, toMs: NOW - 240_000 }];

  function sheet(points: ReturnType<typeof readings>, extra: Partial<PastRecord> = {}) {
    const record: PastRecord = { points, buckets: [], known, zone: null, ...extra };
    return rawSheetOf({ ...stretch, record, spells: [], freshForMs: 5_000, first: null });
  }

  test("are drawn as when they were present", () => {
    const late = { receivedMs: NOW - 400_000 };
    const made = sheet([
      ...readings(-660_000, -500_000),
      ...readings(-500_000, -450_000, 80, late),
      ...readings(-450_000, -240_000),
    ]);
    expect(made.runs.map(({ kind }) => kind)).toEqual(["live", "back", "live"]);
    expect(made.filled).toHaveLength(1);
    expect(made.gaps).toEqual([]);
    expect(asPast(made, known, null)).toMatchObject({ count: 301, pending: [] });
  });

  test("a gap over the edge keeps its own length, where its ends are known", () => {
    const made = sheet([...readings(-660_000, -310_000), ...readings(-280_000, -240_000)]);
    expect(made.gaps).toMatchObject([{ toMs: NOW - 300_000, lengthMs: 31_000, open: false }]);
    const openEnd = sheet(readings(-660_000, -310_000));
    expect(openEnd.gaps).toMatchObject([{ toMs: NOW - 300_000, lengthMs: null, open: false }]);
    const openBegin = sheet(readings(-400_000, -240_000));
    expect(openBegin.gaps).toMatchObject([
      { fromMs: NOW - 600_000, toMs: NOW - 400_000, lengthMs: null, why: Missing.NO_READING },
    ]);
  });

  test("nothing in them is a gap whole; nothing known of them is none", () => {
    expect(sheet([]).gaps).toMatchObject([{ ...stretch, lengthMs: null }]);
    const unknown = sheet([], { known: [] });
    expect(unknown.gaps).toEqual([]);
    expect(asPast(unknown, [], null).pending).toEqual([stretch]);
  });

  test("as rows each reading stands once", () => {
    const late = { receivedMs: NOW };
    const made = sheet([
      ...readings(-600_000, -500_000),
      ...readings(-500_000, -400_000, 80, late),
      point(NOW - 400_000, 81),
      point(NOW - 400_000, 82, { device: "d2" }),
    ]);
    expect(asPast(made, known, null).runs.flat()).toHaveLength(202);
  });
});

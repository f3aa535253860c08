import { describe, expect, test } from "vitest";
import { lateAfterMs, rateView, trendOf } from "../rate";
import { NOW, point, rate, readings } from "./people-of";

describe("rateView", () => {
  const line = readings(-20_000, 0);

  test("fresh: with its age and what is left", () => {
    expect(rateView(rate(800), line, NOW, true)).toMatchObject({
      state: "fresh",
      bpm: 72,
      ageMs: 800,
      endsMs: NOW + 4_200,
    });
  });

  test("ageing: later than three of its usual intervals, still current", () => {
    expect(rateView(rate(3_001), line, NOW, true)).toMatchObject({ state: "ageing", bpm: 72 });
    expect(rateView(rate(3_000), line, NOW, true)).toMatchObject({ state: "fresh" });
  });

  test("stale: past freshForMs, with what it was", () => {
    expect(rateView(rate(5_000), line, NOW, true)).toMatchObject({ state: "ageing" });
    expect(rateView(rate(5_001), line, NOW, true)).toMatchObject({
      state: "stale",
      bpm: null,
      endsMs: null,
      was: { bpm: 72, atMs: NOW - 5_001 },
    });
  });

  test("what the server no longer calls current is stale at once", () => {
    expect(rateView(rate(100, 72, { current: null }), line, NOW, true).state).toBe("stale");
  });

  test("a zero is no rate, now or then", () => {
    const zero = rate(100, 0, { last: { value: 0, atMs: NOW, quality: ["zero"] } });
    expect(rateView(zero, line, NOW, true)).toMatchObject({
      state: "stale",
      bpm: null,
      was: { bpm: 70 },
    });
    expect(rateView(zero, [], NOW, true)).toMatchObject({ state: "missing", was: null });
  });

  test("a reading off the body is not what it was", () => {
    const off = rate(100, 80, {
      current: null,
      last: { value: 80, atMs: NOW, quality: ["noContact"] },
    });
    expect(rateView(off, readings(-9_000, -5_000, 64), NOW, true).was?.bpm).toBe(64);
  });

  test.each(["zero", "frozen", "implausible", "noContact"])("nor is one that is %s", (mark) => {
    const last = { value: 80, atMs: NOW, quality: [mark] };
    const doubted = rate(100, 80, { current: null, last });
    expect(rateView(doubted, readings(-9_000, -5_000, 64), NOW, true).was?.bpm).toBe(64);
    const line = [...readings(-9_000, -5_000, 64), point(NOW, 80, { quality: [mark] })];
    expect(rateView({ ...doubted, last: null }, line, NOW, true).state).toBe("missing");
    expect(rateView(doubted, line, NOW, true).was?.bpm).toBe(64);
  });

  test("missing: never measured, or no clock yet", () => {
    expect(rateView(null, [], NOW, true).state).toBe("missing");
    expect(rateView(rate(0, 72, { last: null }), [], NOW, true).state).toBe("missing");
    expect(rateView(rate(0), line, null, true).bpm).toBeNull();
  });

  test("a device that speaks on change holds while it is connected", () => {
    const held = rate(600_000, 61, { onChange: true });
    expect(rateView(held, [], NOW, true)).toMatchObject({ state: "fresh", bpm: 61, endsMs: null });
    expect(rateView(held, [], NOW, false).state).toBe("stale");
  });

  test("a reading ahead of the clock is new, not negative", () => {
    expect(rateView(rate(-700), line, NOW, true).ageMs).toBe(0);
  });
});

test("usual is the device's own interval, never past its freshness", () => {
  expect(lateAfterMs([], 5_000)).toBe(3_000);
  const slow = [0, 4_000, 8_000, 12_000].map((at) => point(NOW + at, 70));
  expect(lateAfterMs(slow, 60_000)).toBe(12_000);
  expect(lateAfterMs(slow, 5_000)).toBe(5_000);
  const quick = [0, 250, 500, 750].map((at) => point(NOW + at, 70));
  expect(lateAfterMs(quick, 5_000)).toBe(2_500);
});

describe("trendOf", () => {
  test("against the reading a minute back", () => {
    const line = [...readings(-70_000, -30_000, 60), ...readings(-30_000, 0, 84)];
    expect(trendOf(line)).toEqual({ direction: "up", by: 24 });
  });

  test("a little is level", () => {
    expect(trendOf([point(NOW - 60_000, 70), point(NOW, 68)])).toEqual({
      direction: "level",
      by: 2,
    });
  });

  test("nothing a minute back, nothing said; refused readings do not count", () => {
    expect(trendOf(readings(-20_000, 0))).toBeNull();
    expect(trendOf([point(NOW - 60_000, 0, { quality: ["zero"] }), point(NOW, 70)])).toBeNull();
    expect(trendOf([])).toBeNull();
  });
});

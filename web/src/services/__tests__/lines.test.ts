import { expect, test } from "vitest";
import { LINE_BOUND, Lines } from "../lines";
import { EPOCH, SERVER_TIME, series, update } from "./fake-server";

const T = SERVER_TIME;

function times(lines: Lines): number[] {
  return lines.of("u1").map((point) => point.atMs - T);
}

test("readings stand in order of time, each once", () => {
  const lines = new Lines(300_000);
  lines.add(update(12, 11));
  lines.add(update(11, 10));
  lines.add(update(12, 11));
  expect(times(lines)).toEqual([1_000, 2_000]);
});

test("what is older than the span leaves, but for the last: a gap begins there", () => {
  const lines = new Lines(10_000);
  lines.add(update(11, 10));
  lines.add(update(12, 11));
  lines.add(update(30, 29));
  expect(times(lines)).toEqual([2_000, 20_000]);
  lines.add(update(39, 38));
  expect(times(lines)).toEqual([2_000, 20_000, 29_000]);
  lines.add(update(41, 40));
  expect(times(lines)).toEqual([20_000, 29_000, 31_000]);
});

test("columns come apart into readings", () => {
  const lines = new Lines(300_000);
  lines.add(
    update(11, 10, {
      series: series([T, T + 900], [70, 0], {
        contact: [true, false],
        quality: [null, ["zero"]],
        receivedMs: T + 60_000,
        timeSource: "estimate",
      }),
    }),
  );
  expect(lines.of("u1")).toMatchObject([
    { atMs: T, value: 70, contact: true, quality: [], receivedMs: T + 60_000, estimated: true },
    { atMs: T + 900, value: 0, contact: false, quality: ["zero"] },
  ]);
});

test("what the server doubts stands beside what the bridge does", () => {
  const lines = new Lines(300_000);
  const doubted = { quality: [["afterGap"], null], serverMarks: [["implausible"], null] };
  lines.add(update(11, 10, { series: series([T, T + 900], [700, 70], doubted) }));
  expect(lines.of("u1").map(({ quality }) => quality)).toEqual([["afterGap", "implausible"], []]);
});

test("two readings of one moment are two", () => {
  const lines = new Lines(300_000);
  lines.add(update(11, 10, { series: series([T, T], [70, 71]) }));
  expect(lines.of("u1")).toHaveLength(2);
  lines.replace("u1", { fromMs: T, toMs: T + 1 }, [series([T, T], [70, 71])], [EPOCH, 12]);
  expect(lines.of("u1")).toHaveLength(2);
});

test("history replaces its stretch up to its position, and keeps what came later", () => {
  const lines = new Lines(300_000);
  lines.add(update(11, 10));
  lines.add(update(13, 11));
  lines.replace("u1", { fromMs: T, toMs: T + 60_000 }, [series([T + 500], [66])], [EPOCH, 12]);
  expect(times(lines)).toEqual([500, 3_000]);
});

test("erased: an empty history leaves nothing of its stretch", () => {
  const lines = new Lines(300_000);
  lines.add(update(11, 10));
  lines.replace("u1", { fromMs: T, toMs: T + 60_000 }, [], [EPOCH, 12]);
  expect(lines.of("u1")).toEqual([]);
});

test("bounded, and counted", () => {
  const lines = new Lines(10_000_000);
  const at = Array.from({ length: 2_000 }, (_, index) => T + index);
  const half = at.map((one) => one + 2_000);
  lines.add(
    update(11, 10, {
      series: series(
        at,
        at.map(() => 60),
      ),
    }),
  );
  lines.add(
    update(12, 11, {
      series: series(
        half,
        half.map(() => 60),
      ),
    }),
  );
  expect(lines.of("u1")).toHaveLength(LINE_BOUND);
  expect(lines.dropped).toBe(1_000);
  expect(lines.of("u1").at(-1)?.atMs).toBe(T + 3_999);
});

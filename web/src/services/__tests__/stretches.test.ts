import { expect, test } from "vitest";
import { missingOf, unite, within, without } from "../stretches";

const s = (fromMs: number, toMs: number) => ({ fromMs, toMs });

test("what touches is one, in order, and nothing is nothing", () => {
  expect(unite([s(20, 30), s(0, 10), s(10, 12), s(5, 5)])).toEqual([s(0, 12), s(20, 30)]);
  expect(unite([s(0, 10), s(14, 20)], 5)).toEqual([s(0, 20)]);
  expect(unite([s(0, 10), s(2, 4)])).toEqual([s(0, 10)]);
});

test("a hole cuts, and keeps what else a stretch says", () => {
  expect(without([{ ...s(0, 10), mark: 1 }], s(3, 4))).toEqual([
    { ...s(0, 3), mark: 1 },
    { ...s(4, 10), mark: 1 },
  ]);
  expect(without([s(0, 10)], s(0, 10))).toEqual([]);
  expect(without([s(0, 10)], s(10, 20))).toEqual([s(0, 10)]);
});

test("within a window, and missing from it", () => {
  expect(within([s(0, 10), s(20, 30), s(40, 50)], s(5, 25))).toEqual([s(5, 10), s(20, 25)]);
  expect(missingOf(s(0, 100), [s(10, 20), s(50, 200)])).toEqual([s(0, 10), s(20, 50)]);
  expect(missingOf(s(0, 10), [s(0, 10)])).toEqual([]);
});

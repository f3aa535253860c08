import { expect, test } from "vitest";
import { Missing } from "@/model/missing";
import type { Sheet } from "@/model/sheet";
import { newlyFilled } from "../filling";

const gap = { fromMs: 100, sinceMs: 100, toMs: 200, open: false, why: Missing.NO_READING };
const sheet: Sheet = {
  fromMs: 0,
  toMs: 300,
  runs: [],
  gaps: [],
  filled: [],
  ledger: [],
  least: null,
  most: null,
  last: null,
};

test("a gap that filled stretches now cover leaves once", () => {
  const filled = { ...sheet, filled: [{ fromMs: 100, toMs: 200, atMs: 250 }] };
  expect(newlyFilled([gap], filled)).toEqual([gap]);
  expect(newlyFilled([], filled)).toEqual([]);
});

test("one that still stands, or is filled elsewhere, does not", () => {
  expect(newlyFilled([gap], { ...sheet, gaps: [gap] })).toEqual([]);
  expect(newlyFilled([gap], { ...sheet, filled: [{ fromMs: 0, toMs: 90, atMs: 95 }] })).toEqual([]);
});

import { expect, test } from "vitest";
import type { Gap, Sheet } from "@/model/sheet";
import { Missing } from "@/model/why";
import { newlyFilled } from "../filling";

const gap: Gap = {
  fromMs: 10_000,
  sinceMs: 10_000,
  toMs: 20_000,
  open: false,
  lengthMs: 10_000,
  why: Missing.NO_READING,
};
const sheet: Sheet = {
  fromMs: 0,
  toMs: 30_000,
  runs: [],
  gaps: [],
  filled: [],
  ledger: [],
  least: null,
  most: null,
  last: null,
};

test("a gap that has readings now is filled once, whichever way they came", () => {
  const back = { ...sheet, ledger: [{ kind: "back", fromMs: 0, toMs: 30_000 } as const] };
  expect(newlyFilled([gap], back)).toEqual([{ fromMs: 10_000, toMs: 20_000 }]);
  expect(newlyFilled([], back)).toEqual([]);
  const live = { ...sheet, ledger: [{ kind: "live", fromMs: 9_000, toMs: 30_000 } as const] };
  expect(newlyFilled([gap], live)).toEqual([{ fromMs: 10_000, toMs: 20_000 }]);
});

test("what is filled of it in part moves in that part alone", () => {
  const rest: Gap = { ...gap, fromMs: 16_000, sinceMs: 16_000, lengthMs: 4_000 };
  const half = {
    ...sheet,
    gaps: [rest],
    ledger: [
      { kind: "back", fromMs: 4_000, toMs: 16_000 } as const,
      { kind: "hole", fromMs: 16_000, toMs: 20_000 } as const,
    ],
  };
  expect(newlyFilled([gap], half)).toEqual([{ fromMs: 10_000, toMs: 16_000 }]);
});

test("one that still stands, or has left the sheet, does not move", () => {
  const live = { kind: "live", fromMs: 0, toMs: 10_000 } as const;
  const clipped = { ...gap, fromMs: 12_000 };
  expect(newlyFilled([gap], { ...sheet, gaps: [clipped], ledger: [live] })).toEqual([]);
  const gone = { ...sheet, fromMs: 40_000, ledger: [{ ...live, fromMs: 40_000, toMs: 50_000 }] };
  expect(newlyFilled([gap], gone)).toEqual([]);
});

import { describe, expect, test } from "vitest";
import type { Gap } from "@/protocol/messages";
import { Cause, type Spell } from "@/services/causes";
import { type Ledger, NO_LEDGER } from "@/services/gaps";
import { explain, type Knowledge } from "../explain";
import { Missing, Told } from "../why";
import { point } from "./people-of";

const MINUTE = 60_000;

function ledger(gaps: Gap[], extra: Partial<Ledger> = {}): Ledger {
  const known = [{ fromMs: 0, toMs: 60 * MINUTE }];
  return { gaps, known, completeThroughMs: 60 * MINUTE, ...extra };
}

function gap(fromMs: number, toMs: number, cause = "silent", evidence = "linkLost"): Gap {
  return { fromMs, toMs, cause, evidence };
}

function pieces(
  hole: { fromMs: number; toMs: number; open?: boolean },
  knowledge: Partial<Knowledge>,
  leastMs = 0,
) {
  const all = { ledger: NO_LEDGER, refused: [], spells: [], coarse: false, ...knowledge };
  return explain({ open: false, ...hole }, all, leastMs).map(({ fromMs, toMs, why }) => [
    fromMs,
    toMs,
    why,
  ]);
}

const HOLE = { fromMs: 0, toMs: 10 * MINUTE };
const OPEN = { ...HOLE, open: true };
const searching: Spell = { cause: Cause.OUT_OF_RANGE, fromMs: 3_000, toMs: null };

describe("a hole that is past", () => {
  test("is cut where the ledger's cause changes, whatever hops have said", () => {
    const found = ledger([
      gap(0, 4 * MINUTE, "bridgeDown", "killed"),
      gap(4 * MINUTE, 10 * MINUTE),
    ]);
    const spells = [{ ...searching, toMs: 10 * MINUTE }];
    expect(pieces(HOLE, { ledger: found, spells })).toEqual([
      [0, 4 * MINUTE, Told.BRIDGE_CRASHED],
      [4 * MINUTE, 10 * MINUTE, Told.SILENT],
    ]);
  });

  test("does not have what lasts at this moment", () => {
    expect(pieces(HOLE, { ledger: ledger([gap(0, 10 * MINUTE)]), spells: [searching] })).toEqual([
      [0, 10 * MINUTE, Told.SILENT],
    ]);
  });

  test("has what the hops said where the ledger has not been asked", () => {
    const spells = [{ ...searching, toMs: 10 * MINUTE }];
    expect(pieces(HOLE, { spells })).toEqual([[0, 10 * MINUTE, Cause.OUT_OF_RANGE]]);
    expect(pieces(HOLE, {})).toEqual([[0, 10 * MINUTE, Missing.NO_READING]]);
  });

  test("that lies in a longer gap of the ledger has its cause and no more", () => {
    const found = ledger([gap(-MINUTE, 11 * MINUTE)]);
    expect(pieces(HOLE, { ledger: found })).toEqual([[0, 10 * MINUTE, Told.SILENT]]);
  });

  test("readings that were refused say so, where the ledger counts them as readings", () => {
    const refused = [point(2 * MINUTE, 0, { contact: false })];
    const found = ledger([gap(3 * MINUTE, 10 * MINUTE)]);
    expect(pieces(HOLE, { ledger: found, refused })).toEqual([
      [0, 3 * MINUTE, Cause.NOT_WORN],
      [3 * MINUTE, 10 * MINUTE, Told.SILENT],
    ]);
    expect(pieces(HOLE, { ledger: ledger([]), coarse: true })).toEqual([
      [0, 10 * MINUTE, Missing.UNUSABLE],
    ]);
  });

  test("what lies behind what is complete is still coming", () => {
    const found = ledger([], { completeThroughMs: -1 });
    expect(pieces(HOLE, { ledger: found })).toEqual([[0, 10 * MINUTE, Told.PENDING]]);
  });

  test("what nobody would see joins its longer neighbour", () => {
    const found = ledger([
      gap(0, 100, "notWorn"),
      gap(100, 9 * MINUTE),
      gap(9 * MINUTE, 9 * MINUTE + 500, "radioLost", "heard"),
      gap(9 * MINUTE + 500, 10 * MINUTE),
    ]);
    expect(pieces(HOLE, { ledger: found }, 1_000)).toEqual([[0, 10 * MINUTE, Told.SILENT]]);
    expect(pieces(HOLE, { ledger: found })).toHaveLength(4);
  });
});

describe("a hole that goes on", () => {
  test("has what lasts at this moment where the ledger is not sure", () => {
    const found = ledger([gap(0, 10 * MINUTE)]);
    expect(pieces(OPEN, { ledger: found, spells: [searching] })).toEqual([
      [0, 10 * MINUTE, Cause.OUT_OF_RANGE],
    ]);
    expect(pieces(OPEN, { ledger: found })).toEqual([[0, 10 * MINUTE, Told.SILENT]]);
  });

  test("keeps what was told of the time before that", () => {
    const offline = { cause: Cause.BRIDGE_OFFLINE, fromMs: 8 * MINUTE, toMs: null };
    const found = ledger([gap(0, 8 * MINUTE), gap(8 * MINUTE, 10 * MINUTE, "pending", "unheard")]);
    expect(pieces(OPEN, { ledger: found, spells: [offline] })).toEqual([
      [0, 8 * MINUTE, Told.SILENT],
      [8 * MINUTE, 10 * MINUTE, Cause.BRIDGE_OFFLINE],
    ]);
    const pending = ledger([gap(0, 10 * MINUTE, "pending", "unheard")]);
    expect(pieces(OPEN, { ledger: pending, spells: [offline] })).toEqual([
      [0, 10 * MINUTE, Cause.BRIDGE_OFFLINE],
    ]);
  });

  test("a sure cause of the strap's own way goes on while the strap is away", () => {
    const found = ledger([gap(0, MINUTE, "radioLost", "heard"), gap(MINUTE, 10 * MINUTE)]);
    expect(pieces(OPEN, { ledger: found, spells: [searching] })).toEqual([
      [0, 10 * MINUTE, Told.RADIO_LOST],
    ]);
    const away = { cause: Cause.SERVER_AWAY, fromMs: 5 * MINUTE, toMs: null };
    expect(pieces(OPEN, { ledger: found, spells: [away] }).at(-1)).toEqual([
      5 * MINUTE,
      10 * MINUTE,
      Cause.SERVER_AWAY,
    ]);
  });

  test("a sure cause up to now stands before any hop", () => {
    const found = ledger([gap(0, 10 * MINUTE, "off", "battery")]);
    expect(pieces(OPEN, { ledger: found, spells: [searching] })).toEqual([
      [0, 10 * MINUTE, Told.BATTERY_EMPTY],
    ]);
  });
});

import { describe, expect, test } from "vitest";
import { Cause } from "@/services/causes";
import type { Line } from "@/services/lines";
import { describeSheet, fits, gapPlate, gapWhole, sheetNote } from "../describe";
import { missingFrom, SHEET_MS, sheetOf } from "../sheet";
import { Missing, Told } from "../why";
import { clock, clockWithSeconds } from "../words";
import { NOW, point, readings } from "./people-of";

function sheet(line: Line, extra: Partial<Parameters<typeof sheetOf>[0]> = {}) {
  return sheetOf({ line, spells: [], nowMs: NOW, freshForMs: 5_000, lastAtMs: null, ...extra });
}

describe("runs and gaps", () => {
  test("an even line is one run and no gap", () => {
    const made = sheet(readings(-20_000, 0));
    expect(made.runs).toHaveLength(1);
    expect(made.gaps).toEqual([]);
    expect(made.last).toEqual({ atMs: NOW - 1_000, bpm: 70 });
    expect(made.ledger).toEqual([{ kind: "live", fromMs: NOW - 20_000, toMs: NOW - 1_000 }]);
  });

  test("one reading missing is no gap; more than the usual three intervals is", () => {
    const line = readings(-20_000, 0);
    expect(sheet(line.filter((_, index) => index !== 10)).gaps).toEqual([]);
    const gap = sheet(line.filter((_, index) => index < 8 || index > 11));
    expect(gap.runs).toHaveLength(2);
    expect(gap.gaps).toMatchObject([
      { fromMs: NOW - 13_000, toMs: NOW - 8_000, open: false, why: Missing.NO_READING },
    ]);
  });

  test("never drawn: zero, off the body, not plausible; the gap says why", () => {
    const line = [
      ...readings(-30_000, -20_000),
      ...readings(-20_000, -10_000, 80, { contact: false }),
      ...readings(-10_000, 0),
    ];
    const made = sheet(line);
    expect(made.runs.flatMap((run) => run.points)).toHaveLength(20);
    expect(made.gaps).toMatchObject([{ why: Cause.NOT_WORN }]);
    expect(made.most).toBe(70);
  });

  test("an open gap lasts until now, with its cause", () => {
    const spells = [{ cause: Cause.OUT_OF_RANGE, fromMs: NOW - 38_000, toMs: null }];
    const made = sheet(readings(-60_000, -40_000), { spells });
    expect(made.gaps).toEqual([
      {
        fromMs: NOW - 41_000,
        toMs: NOW,
        sinceMs: NOW - 41_000,
        open: true,
        lengthMs: 41_000,
        why: Cause.OUT_OF_RANGE,
      },
    ]);
    expect(made.ledger.at(-1)).toEqual({ kind: "hole", fromMs: NOW - 41_000, toMs: NOW });
  });

  test("a gap longer than the sheet covers it whole", () => {
    const made = sheet([], { lastAtMs: NOW - 900_000 });
    expect(made.gaps).toMatchObject([{ fromMs: NOW - SHEET_MS, toMs: NOW, open: true }]);
    expect(made.least).toBeNull();
  });

  test("nothing that lies before the left edge is entered in the ledger", () => {
    const late = { receivedMs: NOW };
    const edge = [...readings(-302_000, -300_000), ...readings(-300_000, -298_000, 70, late)];
    const { ledger } = sheet(edge);
    expect(ledger.every((entry) => entry.fromMs >= NOW - SHEET_MS)).toBe(true);
    expect(ledger.every((entry) => entry.toMs > entry.fromMs)).toBe(true);
  });

  test("nothing ever measured is empty paper, not a gap", () => {
    expect(sheet([])).toMatchObject({ runs: [], gaps: [], ledger: [], last: null });
  });

  test("what begins on the sheet has no gap before it, what came from outside has", () => {
    expect(sheet(readings(-100_000, 0)).gaps).toEqual([]);
    const outside = sheet([point(NOW - 320_000, 70), ...readings(-100_000, 0)]);
    expect(outside.gaps).toMatchObject([{ fromMs: NOW - SHEET_MS, toMs: NOW - 100_000 }]);
  });
});

describe("a gap that leaves the sheet", () => {
  const line = [...readings(-330_000, -312_000), ...readings(-298_000, 0)];

  test("keeps its own length and the time when it began", () => {
    const made = sheet(line);
    expect(made.gaps).toMatchObject([
      { fromMs: NOW - SHEET_MS, toMs: NOW - 298_000, sinceMs: NOW - 313_000 },
    ]);
    expect(sheetNote(made, 0)).toBe(`Gap of 15 s at ${clock(NOW - 313_000)}: no reading.`);
    expect(describeSheet(made, "Maren Holt")).toContain("15 s missing, no reading");
  });
});

describe("how it came in", () => {
  test("filled in later: its own pen, its own ledger, and when", () => {
    const line = [
      ...readings(-30_000, -20_000),
      ...readings(-20_000, -10_000, 70, { receivedMs: NOW - 4_000 }),
      ...readings(-10_000, 0),
    ];
    const made = sheet(line);
    expect(made.runs.map((run) => run.kind)).toEqual(["live", "back", "live"]);
    expect(made.filled).toEqual([{ fromMs: NOW - 21_000, toMs: NOW - 11_000, atMs: NOW - 4_000 }]);
    expect(made.ledger.map((entry) => [entry.kind, entry.fromMs - NOW, entry.toMs - NOW])).toEqual([
      ["live", -30_000, -21_000],
      ["back", -21_000, -11_000],
      ["live", -11_000, -1_000],
    ]);
  });

  test("each step is drawn once: a part begins at the last point of the one before", () => {
    const line = [...readings(-4_000, -2_000), ...readings(-2_000, 0, 70, { estimated: true })];
    expect(sheet(line).runs.map((run) => run.points.map((one) => one.atMs - NOW))).toEqual([
      [-4_000, -3_000],
      [-3_000, -2_000, -1_000],
    ]);
  });

  test("late by less than its freshness was still live", () => {
    const made = sheet(
      readings(-20_000, 0, 70).map((one) => ({ ...one, receivedMs: one.atMs + 4_900 })),
    );
    expect(made.filled).toEqual([]);
  });
});

describe("in words", () => {
  const line = [
    ...readings(-200_000, -150_000, 60),
    ...readings(-100_000, -50_000, 80, { receivedMs: NOW - 20_000 }),
  ];
  const made = sheet(line);

  test("for those who hear it", () => {
    const said = describeSheet(made, "Maren Holt");
    expect(said).toContain("Maren Holt, heart rate of the last five minutes, 60 to 80");
    expect(said).toMatch(/nothing since \d\d:\d\d, no reading/);
    expect(said).toContain("51 s missing, no reading");
    expect(said).toContain("49 s filled in later");
    expect(describeSheet(sheet([]), "Maren Holt")).toContain("nothing measured");
    expect(describeSheet(sheet(readings(-20_000, 0)), "Maren Holt")).toContain(", now 70");
  });

  test("where a label has no room it becomes a sentence", () => {
    expect(sheetNote(made, 0)).toMatch(
      /^Gap of 51 s at \d\d:\d\d: no reading\. 49 s filled in at \d\d:\d\d:\d\d\.$/,
    );
    expect(sheetNote(made, 2_000)).toBe("");
    expect(fits("no reading, 51 s", { fromMs: 0, toMs: 51_000 }, 900)).toBe(true);
    expect(fits("no reading, 51 s", { fromMs: 0, toMs: 51_000 }, 500)).toBe(false);
  });
});

describe("what the server accounts for", () => {
  const known = [{ fromMs: NOW - 600_000, toMs: NOW }];
  const told = (fromMs: number, toMs: number, cause: string, evidence: string) => ({
    fromMs: NOW + fromMs,
    toMs: NOW + toMs,
    cause,
    evidence,
  });
  const line = [...readings(-330_000, -200_000), ...readings(-100_000, 0)];
  const crash = told(-201_000, -140_000, "bridgeDown", "killed");
  const silent = told(-140_000, -100_000, "silent", "linkLost");
  const ledger = { gaps: [crash, silent], known, completeThroughMs: NOW };

  test("a hole is as many gaps as it has causes, each with its own length", () => {
    const made = sheet(line, { ledger });
    expect(made.gaps).toMatchObject([
      { fromMs: NOW - 201_000, toMs: NOW - 140_000, why: Told.BRIDGE_CRASHED, lengthMs: 61_000 },
      { fromMs: NOW - 140_000, toMs: NOW - 100_000, why: Told.SILENT, lengthMs: 40_000 },
    ]);
    expect(describeSheet(made, "Maren Holt")).toContain(
      "1 min 1 s missing, bridge off: it crashed or lost power; " +
        "40 s missing, silent: off, asleep or out of range",
    );
  });

  test("all of a cause where it is pointed at; on its plate what has room", () => {
    const [, gap] = sheet(line, { ledger }).gaps;
    if (gap === undefined) {
      throw new Error("no gap");
    }
    expect(gapWhole(gap)).toBe(
      `silent: off, asleep or out of range, 40 s, from ${clockWithSeconds(NOW - 140_000)}`,
    );
    expect(gapPlate(gap, 1_000)).toBe("silent: off, asleep or out of range, 40\u00a0s");
    // In three lines, in few words, not at all: a word is never cut.
    expect(gapPlate(gap, 16 + 16 * 6.4)).toBe("silent: off, asleep or out of range, 40\u00a0s");
    expect(gapPlate(gap, 16 + 8 * 6.4)).toBe("silent, 40\u00a0s");
    expect(gapPlate(gap, 16 + 6 * 6.4)).toBeNull();
  });

  test("before the first reading that is here there may have been others", () => {
    const late = readings(-100_000, 0);
    const since = { ...ledger, gaps: [told(-500_000, -100_000, "bridgeDown", "stopped")] };
    expect(sheet(late, { ledger: since }).gaps).toMatchObject([
      {
        fromMs: NOW - SHEET_MS,
        toMs: NOW - 100_000,
        sinceMs: NOW - 500_000,
        lengthMs: 400_000,
        why: Told.BRIDGE_OFF,
      },
    ]);
    // How long it was is not claimed where its beginning was not asked for.
    const cut = { ...since, known: [{ fromMs: NOW - 500_000, toMs: NOW }] };
    expect(sheet(late, { ledger: cut }).gaps[0]?.lengthMs).toBeNull();
  });

  test("one that goes on began with its first cause", () => {
    const open = sheet(readings(-330_000, -200_000), {
      ledger: { ...ledger, gaps: [crash, told(-140_000, 0, "silent", "linkLost")] },
    });
    expect(open.gaps.map(({ open: goesOn }) => goesOn)).toEqual([false, true]);
    expect(describeSheet(open, "Maren Holt")).toContain(
      `nothing since ${clock(NOW - 201_000)}, silent: off, asleep or out of range`,
    );
  });

  test("is asked for where something is missing, in steps, and nowhere else", () => {
    const input = { spells: [], nowMs: NOW, freshForMs: 5_000, lastAtMs: null };
    expect(missingFrom({ ...input, line: readings(-330_000, 0) })).toBeNull();
    expect(missingFrom({ ...input, line: [] })).toBeNull();
    const stretch = missingFrom({ ...input, line });
    expect(stretch?.fromMs).toBeLessThan(NOW - 201_000);
    expect(stretch?.toMs).toBeGreaterThan(NOW - 100_000);
    const asked = new Set<string>();
    for (let second = 0; second < 60; second += 1) {
      const nowMs = NOW + second * 1_000;
      const later = [...line, ...readings(0, second * 1_000)];
      asked.add(JSON.stringify(missingFrom({ ...input, nowMs, line: later })));
    }
    expect(asked.size).toBe(1);
  });
});

import { describe, expect, test } from "vitest";
import type { Gap } from "@/protocol/messages";
import type { Ledger } from "@/services/gaps";
import {
  gapsWords,
  isAccounted,
  lengthWords,
  missedOf,
  pieceWords,
  reachWords,
  silencesOf,
  whenWords,
} from "../gap-list";

const MINUTE = 60_000;
const DAY = 86_400_000;
const NOW = new Date(2025, 9, 14, 12).getTime();
const HOUR = { fromMs: NOW - 60 * MINUTE, toMs: NOW };

function gap(fromMs: number, toMs: number, cause: string, extra: Partial<Gap> = {}): Gap {
  return { fromMs: NOW + fromMs, toMs: NOW + toMs, cause, ...extra };
}

function ledger(gaps: Gap[], known = [HOUR]): Ledger {
  return { gaps, known, completeThroughMs: NOW };
}

const LEDGER = ledger([
  gap(-40 * MINUTE, -34 * MINUTE, "bridgeDown", { evidence: "killed" }),
  gap(-34 * MINUTE, -33 * MINUTE, "silent"),
  gap(-20 * MINUTE, -18 * MINUTE, "notWorn"),
  gap(-10 * MINUTE, -9 * MINUTE, "pending"),
]);

test("pieces that adjoin are one gap, and those outside are left out", () => {
  const found = silencesOf(LEDGER, HOUR);
  expect(found.map(({ pieces }) => pieces.length)).toEqual([2, 1, 1]);
  expect(silencesOf(LEDGER, { fromMs: NOW - 15 * MINUTE, toMs: NOW })).toHaveLength(1);
});

test("how many, how long, and of what: the longest cause first", () => {
  expect(gapsWords(silencesOf(LEDGER, HOUR), HOUR)).toBe(
    "2 gaps, 9 min: 6 min bridge crashed; 2 min not worn; 1 min silent; and 1 min still coming",
  );
  const one = silencesOf(LEDGER, { fromMs: NOW - 19 * MINUTE, toMs: NOW - 15 * MINUTE });
  expect(gapsWords(one, { fromMs: NOW - 19 * MINUTE, toMs: NOW })).toBe("1 gap, 1 min: not worn");
  expect(gapsWords([], HOUR)).toBe("No gap");
  const coming = silencesOf(LEDGER, { fromMs: NOW - 15 * MINUTE, toMs: NOW });
  expect(gapsWords(coming, HOUR)).toBe("No gap, and 1 min still coming");
});

test("what is still coming is not missing", () => {
  expect(missedOf(silencesOf(LEDGER, HOUR), HOUR)).toEqual({ gaps: 2, missingMs: 9 * MINUTE });
});

test("accounted for: all but what has just begun", () => {
  expect(isAccounted(LEDGER, HOUR, NOW)).toBe(true);
  expect(isAccounted(ledger([], []), HOUR, NOW)).toBe(false);
  const upTo = (beforeMs: number) => ledger([], [{ ...HOUR, toMs: NOW - beforeMs }]);
  expect(isAccounted(upTo(30_000), HOUR, NOW)).toBe(true);
  expect(isAccounted(upTo(2 * MINUTE), HOUR, NOW)).toBe(false);
});

describe("one gap in words", () => {
  const only = (one: Gap, known = [HOUR]) => {
    const [found] = silencesOf(ledger([one], known), { fromMs: 0, toMs: NOW });
    if (found === undefined) {
      throw new Error("no gap");
    }
    return found;
  };
  const at = (one: Gap, known?: (typeof HOUR)[]) => {
    const found = only(one, known);
    return [whenWords(found, NOW), lengthWords(found, NOW)];
  };

  test("both ends known, with its day where that is another", () => {
    expect(at(gap(-40 * MINUTE, -38 * MINUTE, "silent"))).toEqual([
      "11:20:00 to 11:22:00",
      "2 min",
    ]);
    expect(at(gap(-DAY, MINUTE - DAY, "silent"))[0]).toBe("Mon 13 Oct, 12:00:00 to 12:01:00");
    expect(at(gap(-DAY, -11 * 60 * MINUTE, "silent"))[0]).toBe(
      "Mon 13 Oct, 12:00:00 to Tue 14 Oct, 01:00:00",
    );
  });

  test("one that goes on, until now", () => {
    expect(at(gap(-3 * MINUTE, -MINUTE, "silent", { lasts: true }))).toEqual([
      "since 11:57:00",
      "3 min",
    ]);
  });

  test("an end that is beyond what was asked is not claimed", () => {
    const known = [{ fromMs: NOW - 40 * MINUTE, toMs: NOW - 30 * MINUTE }];
    const whole = gap(-40 * MINUTE, -30 * MINUTE, "silent", { lasts: true });
    expect(at(whole, known)).toEqual(["all of 11:20:00 to 11:30:00", "over 10 min"]);
    expect(at({ ...whole, lasts: false }, known)[0]).toBe("until 11:30:00");
    expect(at({ ...whole, fromMs: whole.fromMs + 1 }, known)[0]).toBe("from 11:20:00 on");
  });

  test("what was lost with it, and how long each cause was", () => {
    const dropped = gap(-MINUTE, 0, "dropped", { evidence: "sizeBound", count: 1_204 });
    expect(pieceWords(dropped, true)).toBe(
      "readings dropped: the bridge’s card was full, 1,204 readings",
    );
    expect(pieceWords(gap(-MINUTE, 0, "notWorn"), false)).toBe("not worn, 1 min");
  });
});

test("how far back a list goes", () => {
  expect(reachWords(NOW - MINUTE, NOW)).toBe("11:59");
  expect(reachWords(NOW - DAY, NOW)).toBe("Mon 13 Oct, 12:00");
});

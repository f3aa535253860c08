import { beforeEach, describe, expect, test } from "vitest";
import { type Change, Positions } from "../positions";

function change(metric: string, n: number, previous: number, extra: Partial<Change> = {}): Change {
  return {
    user: "u",
    metric,
    position: ["e", n],
    previous: ["e", previous],
    conflated: false,
    ...extra,
  };
}

describe("Positions", () => {
  let positions: Positions;
  beforeEach(() => {
    positions = new Positions();
    positions.begin("u", ["e", 10]);
  });

  test("each metric goes its own way from the snapshot", () => {
    expect(positions.judge(change("heart_rate", 11, 9))).toBe("next");
    expect(positions.judge(change("steps", 12, 4))).toBe("next");
    expect(positions.judge(change("heart_rate", 13, 11))).toBe("next");
    expect(positions.since()).toEqual({ u: ["e", 13] });
  });

  test("what is not later is a repeat", () => {
    positions.judge(change("heart_rate", 12, 10));
    expect(positions.judge(change("heart_rate", 12, 10))).toBe("repeat");
    expect(positions.judge(change("heart_rate", 11, 10))).toBe("repeat");
    expect(positions.judge(change("steps", 10, 3))).toBe("repeat");
  });

  test("a missing change is a gap, resumed from what is held; others go on", () => {
    positions.judge(change("heart_rate", 11, 10));
    expect(positions.judge(change("heart_rate", 15, 14))).toBe("gap");
    expect(positions.judge(change("heart_rate", 16, 15))).toBe("waiting");
    expect(positions.judge(change("steps", 17, 2))).toBe("next");
    expect(positions.since()).toEqual({ u: ["e", 11] });
    positions.resume("u");
    expect(positions.judge(change("heart_rate", 14, 11))).toBe("next");
    expect(positions.judge(change("steps", 17, 2))).toBe("repeat");
    expect(positions.since()).toEqual({ u: ["e", 17] });
  });

  test("a conflated jump is on purpose", () => {
    expect(positions.judge(change("heart_rate", 30, 29, { conflated: true }))).toBe("next");
  });

  test("another epoch's change is a gap: the server will say reset", () => {
    const other = change("heart_rate", 1, 0, { position: ["e2", 1], previous: ["e2", 0] });
    expect(positions.judge(other)).toBe("gap");
    positions.begin("u", ["e2", 1]);
    expect(positions.judge(other)).toBe("repeat");
  });

  test("a user who is not watched says nothing", () => {
    expect(positions.judge(change("heart_rate", 11, 10, { user: "stranger" }))).toBe("repeat");
    positions.forget("u");
    expect(positions.since()).toEqual({});
  });
});

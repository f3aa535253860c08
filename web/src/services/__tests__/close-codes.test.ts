import { describe, expect, test } from "vitest";
import { aftermath, LONGEST_ASKED_MS, Reason } from "../close-codes";
import reasons from "./close-reasons.json";

const about = {
  goingAwayMs: null,
  reconnectSpreadMs: 4_000,
  serverVersions: null,
  random: () => 0.5,
};

describe("aftermath", () => {
  test.each([1006, 1011, 4408, 4409, 1009, 4413, 1000, 4999])("%i backs off", (code) => {
    expect(aftermath(code, "", about)).toEqual({
      kind: "backOff",
      atLeastMs: 0,
      reason: Reason.SERVER_AWAY,
    });
  });

  test.each([1001, 1012])("%i comes back at its moment, else within the spread", (code) => {
    expect(aftermath(code, "", about)).toMatchObject({ kind: "after", delayMs: 2_000 });
    expect(aftermath(code, "", { ...about, goingAwayMs: 700 })).toMatchObject({ delayMs: 700 });
  });

  // What Python's reason_text really writes: its own tests hold the file current.
  test.each(reasons)("1013 and 4429 stay away as long as asked: $text", (one) => {
    for (const code of [1013, 4429]) {
      expect(aftermath(code, one.text, about)).toEqual({
        kind: "backOff",
        atLeastMs: one.retryAfterMs,
        reason: Reason.SERVER_BUSY,
      });
    }
  });

  test("no server keeps a page away for longer than minutes", () => {
    expect(aftermath(1013, "busy; retry after 99999999 ms", about)).toMatchObject({
      atLeastMs: LONGEST_ASKED_MS,
    });
    expect(LONGEST_ASKED_MS).toBeLessThanOrEqual(300_000);
  });

  test("4400 and 4403 stop, 4401 asks for a token", () => {
    expect(aftermath(4400, "", about)).toEqual({ kind: "stop", reason: Reason.BUG });
    expect(aftermath(4403, "", about)).toEqual({ kind: "stop", reason: Reason.LINK_REVOKED });
    expect(aftermath(4401, "", about)).toEqual({ kind: "newToken", reason: Reason.LINK_ENDED });
  });

  test("4401 of a link that did not expire is of one that was cut, or of another server", () => {
    const reasonOf = (text: string) => aftermath(4401, text, about).reason;
    expect(reasonOf("token: expired")).toBe(Reason.LINK_ENDED);
    expect(reasonOf("the token expired")).toBe(Reason.LINK_ENDED);
    expect(reasonOf("token: not a signed token")).toBe(Reason.LINK_REFUSED);
  });

  test("4426 says which side is to be upgraded", () => {
    const older = { ...about, serverVersions: ["strapline.v0"] };
    const newer = { ...about, serverVersions: ["strapline.v2", "strapline.v3"] };
    expect(aftermath(4426, "", newer)).toEqual({ kind: "stop", reason: Reason.UPGRADE_PAGE });
    expect(aftermath(4426, "", older)).toEqual({ kind: "stop", reason: Reason.UPGRADE_SERVER });
    expect(aftermath(4426, "", about)).toEqual({ kind: "stop", reason: Reason.UPGRADE_PAGE });
  });
});

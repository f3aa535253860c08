import { expect, test } from "vitest";
import { Cause } from "@/services/causes";
import { Missing, Told, whyCounted, whyLong, whyOf, whyWords } from "../why";

test("every cause has its words", () => {
  for (const why of [...Object.values(Cause), ...Object.values(Missing), ...Object.values(Told)]) {
    expect(whyWords(why)).toMatch(/^[a-z]/);
    expect(whyLong(why)).toMatch(/^[a-z]/);
    expect(whyCounted(why)).toMatch(/^[a-z]/);
  }
});

test.each([
  ["silent", "linkLost", "silent: off, asleep or out of range"],
  ["silent", null, "silent: off, asleep or out of range"],
  ["silent", "linked", "strap connected, but silent"],
  ["notWorn", "contact", "not worn"],
  ["radioLost", "heard", "radio lost: strap heard, no link"],
  ["radioLost", "adapterAway", "bridge’s Bluetooth was off"],
  ["bridgeDown", "stopped", "bridge off: it was stopped"],
  ["bridgeDown", "killed", "bridge off: it crashed or lost power"],
  ["bridgeDown", "ofANewerBridge", "bridge off"],
  ["bridgeAsleep", "suspended", "bridge asleep"],
  ["dropped", "sizeBound", "readings dropped: the bridge’s card was full"],
  ["dropped", "discarded", "readings discarded by hand on the bridge"],
  ["rejected", "tooOld", "readings refused by the server"],
  ["pending", "unheard", "still coming: waiting on the bridge"],
  ["erased", null, "erased"],
  ["off", "battery", "strap’s battery empty"],
])("%s, %s", (cause, evidence, words) => {
  expect(whyLong(whyOf({ cause, evidence }))).toBe(words);
});

test("a cause of a newer server is said by its own code", () => {
  const why = whyOf({ cause: "solarStorm" });
  expect(whyWords(why)).toBe("solar storm");
  expect(whyLong(why)).toBe("solar storm");
  expect(whyCounted(why)).toContain("solar storm");
});

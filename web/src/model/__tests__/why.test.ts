import { expect, test } from "vitest";
import { Cause } from "@/services/causes";
import vectors from "../../../../tests/vectors/client/gaps.json";
import { Missing, Told, whyCounted, whyLong, whyOf, whyWords } from "../why";

test("every cause has its words", () => {
  for (const why of [...Object.values(Cause), ...Object.values(Missing), ...Object.values(Told)]) {
    expect(whyWords(why)).toMatch(/^[a-z]/);
    expect(whyLong(why)).toMatch(/^[a-z]/);
    expect(whyCounted(why)).toMatch(/^[a-z]/);
  }
});

test.each(vectors.cases)("the words of the terminal: $name", (one) => {
  const why = whyOf(one);
  expect(whyWords(why)).toBe(one.short);
  expect(whyLong(why)).toBe(one.long ?? one.short);
  expect(whyCounted(why)).toBe(one.counted);
});

test("an evidence that only a newer server knows says nothing more", () => {
  expect(whyLong(whyOf({ cause: "bridgeDown", evidence: "ofANewerBridge" }))).toBe("bridge off");
});

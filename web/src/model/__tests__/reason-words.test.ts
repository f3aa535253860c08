import { expect, test } from "vitest";
import { Reason } from "@/services/close-codes";
import { reasonRemedy, reasonShort, reasonTitle } from "../reason-words";

test.each(Object.values(Reason))("%s names the thing and the remedy", (reason) => {
  expect(reasonTitle(reason)).toMatch(/^[A-Z].*[^.]$/);
  expect(reasonRemedy(reason)).toMatch(/^[A-Z].*\.$/);
  expect(reasonShort(reason).length).toBeLessThan(24);
});

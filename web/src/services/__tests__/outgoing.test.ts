import { expect, test } from "vitest";
import { OUTGOING_BOUND, Outgoing } from "../outgoing";

test("first in, first out, and empty after that", () => {
  const outgoing = new Outgoing<number>();
  outgoing.push(1);
  outgoing.push(2);
  expect(outgoing.drain()).toEqual([1, 2]);
  expect(outgoing.length).toBe(0);
});

test("bounded: the oldest gives way, and is counted", () => {
  const outgoing = new Outgoing<number>();
  for (let item = 0; item <= OUTGOING_BOUND; item += 1) {
    outgoing.push(item);
  }
  expect(outgoing.length).toBe(OUTGOING_BOUND);
  expect(outgoing.dropped).toBe(1);
  expect(outgoing.drain()[0]).toBe(1);
});

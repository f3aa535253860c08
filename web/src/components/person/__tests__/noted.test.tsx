import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { NO_NOTES } from "@/services/notes";
import { Noted } from "../noted";

const NOW = 1_760_443_540_000;
const STRETCH = { fromMs: NOW - 300_000, toMs: NOW };

function words(notes: Partial<typeof NO_NOTES>) {
  const all = { ...NO_NOTES, ...notes };
  render(<Noted notes={all} stretch={STRETCH} nowMs={NOW} live={null} />);
  return screen.queryAllByRole("listitem").map((one) => one.textContent);
}

test("the newest few, and how many more there are", () => {
  const marks = Array.from({ length: 15 }, (_, index) => ({
    atMs: NOW - (15 - index) * 1_000,
    label: `Lap ${index}`,
  }));
  const said = words({ marks });
  expect(said).toHaveLength(13);
  expect(said[11]).toMatch(/^Mark “Lap 14” at /);
  expect(said[12]).toBe("3 more, earlier");
});

test("what is beyond the bound is said where it may be shown", () => {
  expect(words({ marksUntilMs: NOW - 60_000, sessionsUntilMs: NOW })).toEqual([
    expect.stringMatching(/^Marks after .* are too many to be shown here$/),
  ]);
});

import { renderHook } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { layoutFor, useLayout } from "../use-layout";

test.each([
  ["narrow", 24, "compact", 1],
  ["tablet", 3, "compact", 1],
  ["tablet", 4, "compact", 2],
  ["desk", 3, "channel", 1],
  ["desk", 5, "compact", 2],
  ["desk", 24, "compact", 3],
  ["wall", 1, "channel", 1],
  ["wall", 6, "channel", 2],
  ["wall", 12, "seat", 4],
  ["wall", 24, "seat", 6],
] as const)("on a %s screen %i people get %s in %i columns", (screen, people, layout, columns) => {
  expect(layoutFor(people, screen)).toEqual({ layout, columns });
});

test("asks the screen", () => {
  vi.spyOn(window, "matchMedia").mockImplementation((query) =>
    Object.assign(new EventTarget(), {
      media: query,
      matches: query.includes("760") || query.includes("1001"),
      onchange: null,
      addListener: () => undefined,
      removeListener: () => undefined,
    }),
  );
  expect(renderHook(() => useLayout(3)).result.current).toEqual({ layout: "channel", columns: 1 });
});

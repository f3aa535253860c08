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
  expect(layoutFor(people, screen)).toMatchObject({ layout, columns });
});

function onScreen(width: number, height: number) {
  const bound = (query: string, name: string) =>
    Number(new RegExp(`${name}: (\\d+)px`).exec(query)?.[1] ?? Number.NaN);
  vi.spyOn(window, "matchMedia").mockImplementation((query) =>
    Object.assign(new EventTarget(), {
      media: query,
      matches: !(width < bound(query, "min-width") || height > bound(query, "max-height")),
      onchange: null,
      addListener: () => undefined,
      removeListener: () => undefined,
    }),
  );
}

test.each([
  [1366, 768, 3, { layout: "channel", columns: 1, tight: true }],
  [1366, 768, 2, { layout: "channel", columns: 1, tight: false }],
  [1440, 900, 3, { layout: "channel", columns: 1, tight: false }],
  [1440, 900, 4, { layout: "channel", columns: 1, tight: true }],
  [1600, 900, 3, { layout: "channel", columns: 1, tight: true }],
  [1920, 1080, 3, { layout: "channel", columns: 1, tight: false }],
  [820, 700, 3, { layout: "compact", columns: 1, tight: false }],
] as const)("on %i by %i, %i people", (width, height, people, layout) => {
  onScreen(width, height);
  expect(renderHook(() => useLayout(people)).result.current).toEqual(layout);
});

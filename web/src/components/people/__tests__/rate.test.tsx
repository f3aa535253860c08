import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { RateView } from "@/model/rate";
import { Missing } from "@/model/why";
import { Cause } from "@/services/causes";
import { Rate } from "../rate";

const NOW = 1_760_443_540_000;
const fresh: RateView = {
  state: "fresh",
  bpm: 146,
  atMs: NOW - 1_000,
  ageMs: 1_000,
  endsMs: NOW + 4_000,
  freshForMs: 5_000,
  was: { bpm: 146, atMs: NOW - 1_000 },
};
const none = { bpm: null, atMs: null, ageMs: 0, endsMs: null };

function figure(container: HTMLElement): string {
  return container.querySelector("data")?.firstChild?.textContent ?? "";
}

test("a figure with its unit, age and trend", () => {
  const { container } = render(
    <Rate rate={fresh} trend={{ direction: "up", by: 8 }} because={null} nowMs={NOW} />,
  );
  expect(figure(container)).toBe("146");
  expect(container.querySelector("data")?.getAttribute("value")).toBe("146");
  expect(screen.getByText("1 s ago")).toBeDefined();
  expect(container.querySelector(".trend")?.textContent).toBe("up 8 in a minute");
});

test("stale: a dash, what it was and when, and why", () => {
  const stale: RateView = {
    ...fresh,
    ...none,
    state: "stale",
    was: { bpm: 72, atMs: NOW - 152_000 },
  };
  const { container } = render(
    <Rate
      rate={stale}
      trend={null}
      because={{ why: Cause.OUT_OF_RANGE, sinceMs: NOW - 149_000 }}
      nowMs={NOW}
    />,
  );
  expect(figure(container)).toBe("—");
  expect(container.querySelector(".was")?.textContent).toMatch(/^72 at \d\d:\d\d$/);
  expect(container.textContent).toContain("Strap out of range for 2 min 32 s");
  expect(container.textContent).not.toContain("bpm");
});

test("missing: a dash and no number at all", () => {
  const missing: RateView = { ...fresh, ...none, state: "missing", was: null };
  const { container } = render(
    <Rate
      rate={missing}
      trend={null}
      because={{ why: Missing.NO_SIGNAL, sinceMs: null }}
      nowMs={NOW}
    />,
  );
  expect(figure(container)).toBe("—");
  expect(container.textContent).toContain("Not measured yet");
  expect(container.textContent).toContain("No signal");
  expect(container.textContent).not.toMatch(/\d/);
});

test("a cause that began later than the absence counts from its own beginning", () => {
  const stale: RateView = {
    ...fresh,
    ...none,
    state: "stale",
    was: { bpm: 72, atMs: NOW - 60_000 },
  };
  const because = { why: Cause.BRIDGE_OFFLINE, sinceMs: NOW - 9_000 };
  const { container } = render(<Rate rate={stale} trend={null} because={because} nowMs={NOW} />);
  expect(container.textContent).toContain("Bridge offline for 9 s");
});

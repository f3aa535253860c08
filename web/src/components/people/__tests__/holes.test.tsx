import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { Holes } from "../holes";

const stretch = { fromMs: 0, toMs: 100_000 };

function gap(fromMs: number, toMs: number, words = `gap at ${fromMs}`) {
  return { fromMs, toMs, words };
}

test("each gap is reached by the keyboard, and says all of its cause", () => {
  render(<Holes stretch={stretch} gaps={[gap(20_000, 30_000, "radio lost, 10 s")]} />);
  const button = screen.getByRole("button", { name: "radio lost, 10 s" });
  expect([button.style.left, button.style.width]).toEqual(["20%", "10%"]);
  button.focus();
  expect(document.activeElement).toBe(button);
  expect(button.nextElementSibling?.textContent).toBe("radio lost, 10 s");
});

test("words grow away from an edge, and to either side between them", () => {
  render(
    <Holes stretch={stretch} gaps={[gap(0, 10_000), gap(40_000, 50_000), gap(90_000, 100_000)]} />,
  );
  const tips = [...document.querySelectorAll<HTMLElement>(".tip")].map(({ style }) => [
    style.justifyContent,
    style.paddingLeft,
    style.paddingRight,
  ]);
  expect(tips).toEqual([
    ["flex-start", "0%", ""],
    ["center", "0%", "10%"],
    ["flex-end", "", "0%"],
  ]);
});

test("no list where there is no gap, and the newest of very many", () => {
  const { rerender } = render(<Holes stretch={stretch} gaps={[]} />);
  expect(screen.queryByRole("list")).toBeNull();
  const many = Array.from({ length: 100 }, (_, n) => gap(n * 1_000, n * 1_000 + 500));
  rerender(<Holes stretch={stretch} gaps={many} />);
  expect(screen.getAllByRole("button")).toHaveLength(24);
  expect(screen.getByRole("button", { name: "gap at 99000" })).toBeDefined();
});

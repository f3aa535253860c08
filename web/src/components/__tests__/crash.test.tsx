import { render, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { Crash } from "../crash";

function Broken(): never {
  throw new Error("a bug");
}

test("a fault is said, with a way out", () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  render(
    <Crash>
      <Broken />
    </Crash>,
  );
  expect(screen.getByRole("alert").textContent).toContain("This page has failed");
  expect(screen.getByRole("button", { name: "Reload" })).toBeDefined();
});

test("without one it is not there", () => {
  render(
    <Crash>
      <p>people</p>
    </Crash>,
  );
  expect(screen.getByText("people")).toBeDefined();
});

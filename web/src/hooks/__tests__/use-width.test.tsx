import { act, render, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { useWidth } from "../use-width";

let resized: () => void = () => undefined;

function Measured() {
  const [element, width] = useWidth<HTMLDivElement>();
  return (
    <div ref={element} style={{ fontSize: "24px" }}>
      {width}
    </div>
  );
}

test("a width is counted in type of 12 px: twice the type, half the room", () => {
  vi.stubGlobal(
    "ResizeObserver",
    class {
      constructor(callback: () => void) {
        resized = callback;
      }
      observe() {}
      disconnect() {}
    },
  );
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(600);
  render(<Measured />);
  expect(screen.getByText("0")).toBeDefined();
  act(() => resized());
  expect(screen.getByText("300")).toBeDefined();
});

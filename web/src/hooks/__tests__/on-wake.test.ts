import { afterEach, expect, test, vi } from "vitest";
import { onWake } from "../on-wake";

let state: DocumentVisibilityState = "visible";
afterEach(() => {
  state = "visible";
});

test("looks as the page is seen again, not as it is hidden, until it is let go", () => {
  vi.spyOn(document, "visibilityState", "get").mockImplementation(() => state);
  const look = vi.fn();
  const unwake = onWake(look);
  state = "hidden";
  document.dispatchEvent(new Event("visibilitychange"));
  expect(look).not.toHaveBeenCalled();
  state = "visible";
  document.dispatchEvent(new Event("visibilitychange"));
  document.dispatchEvent(new Event("resume"));
  window.dispatchEvent(new Event("pageshow"));
  expect(look).toHaveBeenCalledTimes(3);
  unwake();
  document.dispatchEvent(new Event("visibilitychange"));
  expect(look).toHaveBeenCalledTimes(3);
});

import { expect, test, vi } from "vitest";
import { isOnThisMachine, watchPage } from "../page";

test("tells of network, sleep, leaving and links, until it is let go", () => {
  const host = { network: vi.fn(), woke: vi.fn(), left: vi.fn(), linked: vi.fn() };
  const unwatch = watchPage(host);
  const all = () => {
    for (const type of ["online", "offline", "pagehide", "pageshow", "hashchange"]) {
      window.dispatchEvent(new Event(type));
    }
    document.dispatchEvent(new Event("visibilitychange"));
  };
  all();
  expect(host.network.mock.calls).toEqual([[true], [false]]);
  expect(host.woke).toHaveBeenCalledTimes(2);
  expect(host.left).toHaveBeenCalledOnce();
  expect(host.linked).toHaveBeenCalledOnce();
  unwatch();
  all();
  expect(host.left).toHaveBeenCalledOnce();
});

test("a page that is hidden has not woken", () => {
  const host = { network: vi.fn(), woke: vi.fn(), left: vi.fn(), linked: vi.fn() };
  const unwatch = watchPage(host);
  vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
  document.dispatchEvent(new Event("visibilitychange"));
  expect(host.woke).not.toHaveBeenCalled();
  unwatch();
});

test.each([
  ["ws://127.0.0.1:8420/ws", true],
  ["ws://localhost/ws", true],
  ["ws://[::1]:8420/ws", true],
  ["wss://strapline.example/ws", false],
  ["ws://192.168.1.20:8420/ws", false],
])("%s is on this machine: %s", (url, expected) => {
  expect(isOnThisMachine(url)).toBe(expected);
});

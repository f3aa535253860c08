import { act, fireEvent, render, screen, within } from "@testing-library/react";
import axe from "axe-core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { UserSnapshot } from "@/protocol/messages";
import {
  fakeSockets,
  heartRate,
  latestSocket,
  SERVER_TIME,
  status,
  update,
  userSnapshot,
} from "@/services/__tests__/fake-server";
import websocketService from "@/services/websocket-service";
import { PeoplePage } from "../people-page";

// A canvas is what jsdom lacks: lines are looked at in Chromium.
vi.mock("uplot", () => ({
  default: class {
    setSize() {}
    setData() {}
    destroy() {}
  },
}));
class StillObserver {
  observe() {}
  unobserve() {}
  disconnect() {}
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  vi.stubGlobal("ResizeObserver", StillObserver);
  fakeSockets();
  sessionStorage.clear();
  websocketService.configure({ token: "a.b.c" });
});
afterEach(() => {
  websocketService.disconnect();
  vi.useRealTimers();
});

function show(snapshot?: Record<string, UserSnapshot>) {
  const shown = render(<PeoplePage />);
  act(() => latestSocket().open(snapshot));
  return shown;
}

function channel(name = "Maren Holt") {
  return screen.getByRole("article", { name });
}

function figure(): string {
  return channel().querySelector("data")?.firstChild?.textContent ?? "";
}

function pass(ms: number) {
  act(() => vi.advanceTimersByTime(ms));
}

describe("a person", () => {
  test("the rate that came, replaced by the next", () => {
    show();
    expect(figure()).toBe("72");
    act(() => latestSocket().say(update(11, 10)));
    expect(figure()).toBe("71");
  });

  test("past freshForMs the figure leaves to the millisecond, and says what it was", () => {
    show();
    pass(4_999);
    expect(figure()).toBe("72");
    pass(2);
    expect(figure()).toBe("—");
    expect(channel().getAttribute("data-state")).toBe("stale");
    expect(channel().textContent).toMatch(/72 at \d\d:\d\d/);
    expect(channel().querySelector(".nowdot")).toBeNull();
  });

  test("steps say so far, and nothing after the day's end", () => {
    const steps = {
      today: 4_127,
      last: null,
      dayEndsMs: SERVER_TIME + 3_000,
      freshForMs: 60_000,
      onChange: false,
    };
    show({ u1: userSnapshot({ state: { heart_rate: heartRate(), steps } }) });
    expect(within(channel()).getByText("4,127")).toBeDefined();
    expect(within(channel()).getByText("Steps so far")).toBeDefined();
    pass(3_100);
    expect(within(channel()).queryByText("4,127")).toBeNull();
    expect(channel().textContent).toContain("A new day has begun");
  });

  test("who is removed leaves the screen", () => {
    show({ u1: userSnapshot(), u2: userSnapshot({ name: "Tomás Reyes" }) });
    act(() => latestSocket().say({ type: "SUBSCRIPTION_CHANGED", added: [], removed: ["u1"] }));
    expect(screen.queryByRole("article", { name: "Maren Holt" })).toBeNull();
    expect(channel("Tomás Reyes")).toBeDefined();
  });
});

describe("states of the page", () => {
  test("the server goes away: it says so, nothing old looks fresh, and it can be tried now", () => {
    show();
    act(() => latestSocket().drop(1006));
    expect(screen.getByText(/^The server is away since \d\d:\d\d:\d\d\.$/)).toBeDefined();
    expect(document.body.textContent).toContain(
      "Bridges that still run keep recording; their readings come later.",
    );
    expect(document.title).toBe("Offline · Strapline");
    pass(5_100);
    expect(figure()).toBe("—");
    expect(channel().textContent).toContain("Server away for");
    fireEvent.click(screen.getByRole("button", { name: "Try now" }));
    act(() => latestSocket().open());
    expect(screen.queryByText(/The server is away/)).toBeNull();
    expect(document.title).toBe("People · Strapline");
  });

  test("the bridge's farewell before the server's is not the reason that is given", () => {
    show();
    const told = status();
    const bridges = [
      { name: "b", state: "offline", sinceMs: SERVER_TIME - 500, heardMs: SERVER_TIME, pending: 0 },
    ];
    act(() =>
      latestSocket().say({
        ...told,
        hops: { ...told.hops, bridges },
        type: "SYNC_STATUS_UPDATE",
        user: "u1",
        serverTime: SERVER_TIME,
      }),
    );
    act(() => latestSocket().drop(1006));
    pass(6_000);
    expect(channel().textContent).toContain("Server away for");
    expect(document.querySelector(".day")?.textContent).toContain("cut off, server away");
  });

  test("revoked: nothing of anybody stays, a new link can be opened", () => {
    show();
    act(() => latestSocket().drop(4403));
    expect(document.body.textContent).not.toContain("Maren");
    fireEvent.change(screen.getByLabelText("Paste the link"), {
      target: { value: "http://x/#token=d.e.f" },
    });
    fireEvent.click(screen.getByRole("button", { name: "Open" }));
    act(() => latestSocket().open());
    expect(figure()).toBe("72");
  });

  test("no one, no strap, no reading yet", () => {
    const { unmount } = show({});
    expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("Nobody to watch yet");
    unmount();
    pass(10);
    const hops = { server: { state: "ok" as const, sinceMs: SERVER_TIME } };
    const bare = { ...status({ status: "synced" }), hops };
    const second = show({ u1: userSnapshot({ state: {}, status: bare }) });
    expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("Pair a strap");
    second.unmount();
    pass(10);
    show({ u1: userSnapshot({ state: {} }) });
    expect(screen.getByRole("heading", { level: 1 }).textContent).toContain("first reading");
    expect(screen.getByText("The line begins here")).toBeDefined();
  });

  test("a simulation is called one, on the page and at each name", () => {
    render(<PeoplePage />);
    act(() => latestSocket().authenticate({ simulated: true }));
    act(() => latestSocket().subscribe());
    expect(screen.getByRole("region", { name: "Simulation" })).toBeDefined();
    expect(within(channel()).getByText("simulated")).toBeDefined();
  });

  test("the way of the readings opens, and a sync can be asked for", async () => {
    show();
    fireEvent.click(screen.getByRole("button", { name: /^Connection: Live/ }));
    const way = screen.getByRole("region", { name: "How readings reach you" });
    expect(way.textContent).toContain("Chest strap");
    expect(way.textContent).toContain("nothing waiting");
    fireEvent.click(within(way).getByRole("button", { name: "Sync now" }));
    const asked = latestSocket().sent.at(-1);
    expect(asked).toMatchObject({ type: "REQUEST", method: "sync", params: {} });
    act(() =>
      latestSocket().say({ type: "RESULT", request: asked?.request, result: { asked: 2 } }),
    );
    await act(() => vi.advanceTimersByTimeAsync(1_100));
    expect(within(way).getByRole("button", { name: "2 bridges asked" })).toBeDefined();
  });
});

test("a strap without a name of its own is named once", () => {
  const told = status();
  const device = { device: "d1", name: "Strap", state: "connected" as const, sinceMs: 1 };
  show({ u1: userSnapshot({ status: { ...told, hops: { ...told.hops, devices: [device] } } }) });
  fireEvent.click(screen.getByRole("button", { name: /^Connection: Live/ }));
  const way = screen.getByRole("region", { name: "How readings reach you" });
  expect(within(way).getAllByText("Strap")).toHaveLength(1);
});

test("axe finds nothing", async () => {
  const { container } = show({ u1: userSnapshot(), u2: userSnapshot({ name: "Tomás Reyes" }) });
  fireEvent.click(screen.getByRole("button", { name: /^Connection: Live/ }));
  vi.useRealTimers();
  // Colours need a real rendering: they are checked in Chromium.
  const { violations } = await axe.run(container, {
    rules: { "color-contrast": { enabled: false } },
  });
  expect(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)])).toEqual([]);
});

describe("a person of whom only an application tells", () => {
  const nobody = status({
    status: "offline",
    hops: { devices: [], bridges: [], server: { state: "ok", sinceMs: SERVER_TIME } },
  });
  const summary = { summary: { steps: 10_000, mood: "good" }, atMs: SERVER_TIME };
  const told = userSnapshot({ status: nobody, state: { summary } });

  test("has what it said and when, no steps of pairing and no alarm", () => {
    show({ u1: told });
    expect(screen.queryByText("Paired. The first reading comes next")).toBeNull();
    expect(within(channel()).getByText("10,000")).toBeDefined();
    expect(within(channel()).getByText("good")).toBeDefined();
    expect(within(channel()).getByText(/^As given by the application, \d\d:\d\d$/)).toBeDefined();
    expect(screen.getByRole("button", { name: /^Connection: Up to date given at/ })).toBeDefined();
    expect(screen.queryByText("Not measured yet")).toBeNull();
  });

  test("alarms nobody who is measured, and has no way of readings", () => {
    show({ u1: userSnapshot(), u2: { ...told, name: "Ada" } });
    fireEvent.click(screen.getByRole("button", { name: /^Connection: Live/ }));
    const way = screen.getByRole("region", { name: "How readings reach you" });
    expect(within(way).getAllByText("Bridge")).toHaveLength(1);
    expect(within(way).getByText(/^As given by the application/)).toBeDefined();
  });
});

// One person's page over a fake server; what it looks like is seen in Chromium.
import { act, fireEvent, render, screen, within } from "@testing-library/react";
import axe from "axe-core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { STOOD_MS } from "@/hooks/use-stood";
import type { HistoryPage, UserSnapshot } from "@/protocol/messages";
import {
  EPOCH,
  fakeSockets,
  heartRate,
  latestSocket,
  SERVER_TIME,
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

const MINUTE = 60_000;
const T = Math.floor(SERVER_TIME / MINUTE) * MINUTE;
const session = {
  id: "AAAAAAAAAAAAAAAAAAAAAA",
  name: "Intervals",
  startMs: SERVER_TIME - 44 * MINUTE,
  endMs: null,
};

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("ResizeObserver", StillObserver);
  fakeSockets();
  sessionStorage.clear();
  history.replaceState(null, "", "/");
  websocketService.configure({ token: "a.b.c" });
});
afterEach(() => {
  websocketService.disconnect();
  vi.useRealTimers();
});

async function show(snapshot: UserSnapshot = userSnapshot(), mayMark = true) {
  render(<PeoplePage />);
  await act(async () => {
    latestSocket().authenticate({ mayMark });
    latestSocket().subscribe({ u1: snapshot });
    await vi.advanceTimersByTimeAsync(0);
  });
  fireEvent.click(screen.getByRole("button", { name: "Maren Holt" }));
  // The page of one is fetched beside that of all.
  await act(async () => {
    await vi.dynamicImportSettled();
    await vi.advanceTimersByTimeAsync(0);
  });
  expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("Maren Holt");
}

/** Answers each question that waits, by its method and what it asks. */
async function answer(of: (method: string, params: Record<string, unknown>) => unknown) {
  await act(() => vi.advanceTimersByTimeAsync(STOOD_MS));
  await reply(of);
}

async function reply(of: (method: string, params: Record<string, unknown>) => unknown) {
  await act(async () => {
    for (const { request, method, params } of latestSocket().got("REQUEST")) {
      const result = of(String(method), params as Record<string, unknown>);
      if (result !== null) {
        latestSocket().say({ type: "RESULT", request, result });
      }
    }
    await vi.advanceTimersByTimeAsync(0);
  });
}

function page(params: Record<string, unknown>, at: number[], average: number): HistoryPage {
  const stretches = {
    atMs: at.map((one, index) => one - (index === 0 ? 0 : (at[index - 1] ?? 0))),
    count: at.map(() => 60),
    average: at.map(() => average),
    min: at.map(() => average - 10),
    max: at.map(() => average + 10),
  };
  return {
    user: String(params.user),
    metric: String(params.metric),
    resolution: "minute",
    series: [],
    stretches: [stretches],
    position: [EPOCH, 10],
  };
}

function minutesOf(method: string, params: Record<string, unknown>) {
  const at = Array.from({ length: 60 }, (_, index) => T - (60 - index) * MINUTE);
  return method === "history" && params.resolution === "minute"
    ? page(
        params,
        at.filter((one) => one < T - 20 * MINUTE || one >= T - 10 * MINUTE),
        80,
      )
    : null;
}

function emptyPage(method: string, { user, metric, resolution }: Record<string, unknown>) {
  const position = [EPOCH, 10];
  if (method === "gaps") {
    return { user, metric, gaps: [], completeThroughMs: null, position };
  }
  return method === "sessions"
    ? { user, sessions: [], position }
    : { user, metric, resolution, series: [], stretches: [], position };
}

describe("a person's page", () => {
  test("shows the present, and everyone is a step back", async () => {
    await show();
    expect(document.title).toBe("Maren Holt · Strapline");
    expect(location.href).not.toContain("u1");
    expect(screen.getByText("Last five minutes")).toBeDefined();
    fireEvent.click(screen.getByRole("button", { name: "All people" }));
    expect(screen.getByRole("article", { name: "Maren Holt" })).toBeDefined();
  });

  test("a day is means over lowest to highest, with its gap, and as a table", async () => {
    await show();
    fireEvent.click(screen.getByRole("button", { name: "Day" }));
    await answer(minutesOf);
    const sheet = screen.getByRole("img", { name: /^Maren Holt, heart rate/ });
    expect(sheet.getAttribute("aria-label")).toContain("average 80, 70 to 90, of 3,000 readings");
    expect(sheet.getAttribute("aria-label")).toContain("10 min missing");
    expect(sheet.querySelectorAll(".mid")).toHaveLength(2);
    const details = screen.getByText("As a table").closest("details");
    act(() => {
      details?.setAttribute("open", "");
      details?.dispatchEvent(new Event("toggle"));
    });
    const table = within(screen.getByRole("table"));
    expect(table.getAllByRole("row")).toHaveLength(1 + 50 + 2);
    expect(table.getByText("no reading, 10 min")).toBeDefined();
  });

  test("Escape goes to all people, but first closes what is open", async () => {
    await show();
    fireEvent.click(screen.getByRole("button", { name: /^Connection/ }));
    fireEvent.keyDown(document.body, { key: "Escape" });
    expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("Maren Holt");
    fireEvent.keyDown(document.body, { key: "Escape" });
    expect(screen.getByRole("article", { name: "Maren Holt" })).toBeDefined();
  });

  test("keys and buttons go back, and end at the present", async () => {
    await show();
    fireEvent.click(screen.getByRole("button", { name: "Earlier" }));
    const line = () => document.querySelector("#line")?.textContent;
    expect(line()).toMatch(/^\d\d:\d\d:\d\d to \d\d:\d\d:\d\d$/);
    const later = screen.getByRole("button", { name: "Later" });
    fireEvent.keyDown(later, { key: "ArrowRight" });
    expect(line()).toMatch(/ to /);
    fireEvent.click(later);
    expect(line()).toBe("Last five minutes");
    expect(later.getAttribute("aria-disabled")).toBe("true");
    fireEvent.keyDown(later, { key: "-" });
    expect(line()).toBe("Last half hour");
    const slider = screen.getByRole("slider", { name: "Time shown" });
    fireEvent.keyDown(slider, { key: "PageUp" });
    expect(line()).toMatch(/ to /);
    fireEvent.keyDown(slider, { key: "End" });
    expect(line()).toBe("Last half hour");
  });

  test.each(["5 min", "Day", "Week"])("a key that is held asks when it rests: %s", async (span) => {
    await show();
    fireEvent.click(screen.getByRole("button", { name: span }));
    await answer(() => null);
    await answer(emptyPage);
    const asked = () => latestSocket().got("REQUEST");
    const before = asked().length;
    const sheet = screen.getByRole("button", { name: "Earlier" });
    for (let repeat = 0; repeat < 120; repeat += 1) {
      fireEvent.keyDown(sheet, { key: "ArrowLeft" });
      await act(() => vi.advanceTimersByTimeAsync(33));
      await reply(emptyPage);
    }
    expect(asked().length - before).toBeLessThanOrEqual(4);
    await act(() => vi.advanceTimersByTimeAsync(STOOD_MS));
    await answer(emptyPage);
    const rested = asked().slice(before);
    expect(rested.length).toBeGreaterThan(0);
    expect(rested.length).toBeLessThanOrEqual(10);
  });

  test("what is not here yet is being fetched, and no gap", async () => {
    await show();
    fireEvent.click(screen.getByRole("button", { name: "Week" }));
    expect(document.querySelectorAll(".drawn .gap")).toHaveLength(0);
    expect(screen.getByText("Fetching…")).toBeDefined();
  });

  test("is accessible", async () => {
    await show(userSnapshot({ state: { heart_rate: heartRate(), session: { session } } }));
    fireEvent.click(screen.getByRole("button", { name: "Day" }));
    await answer(minutesOf);
    vi.useRealTimers();
    const { violations } = await axe.run(document.body, {
      rules: { "color-contrast": { enabled: false }, region: { enabled: false } },
    });
    expect(violations.map(({ id }) => id)).toEqual([]);
  });

  test("who is no longer granted leaves the page, and everyone else is there", async () => {
    await show();
    act(() => latestSocket().say({ type: "SUBSCRIPTION_CHANGED", added: [], removed: ["u1"] }));
    expect(screen.queryByText("Maren Holt")).toBeNull();
  });
});

describe("marks and sessions", () => {
  function requests(method: string) {
    return latestSocket()
      .got("REQUEST")
      .filter((message) => message.method === method);
  }

  test("m marks the moment at which it was pressed, not that of the words", async () => {
    await show();
    const pressedAt = Math.floor(websocketService.serverNow() ?? 0);
    fireEvent.keyDown(screen.getByRole("heading", { level: 1 }), { key: "m" });
    const field = screen.getByRole("textbox");
    expect(document.activeElement).toBe(field);
    await act(() => vi.advanceTimersByTimeAsync(4_000));
    fireEvent.change(field, { target: { value: " Lap 3 " } });
    fireEvent.submit(field);
    expect(requests("mark")[0]?.params).toEqual({ user: "u1", label: "Lap 3", atMs: pressedAt });
    expect(screen.queryByRole("textbox")).toBeNull();
    await answer((method) => (method === "mark" ? {} : null));
    expect(screen.getByText(/^Marked \d\d:\d\d:\d\d$/)).toBeDefined();
    await act(() => vi.advanceTimersByTimeAsync(6_000));
    expect(screen.queryByText(/^Marked/)).toBeNull();
    // The keyboard stays where it was, so that the next m is heard too.
    expect(document.activeElement).toBe(screen.getByRole("button", { name: "Mark" }));
  });

  test("Escape leaves without a mark, and m in the field is a letter", async () => {
    await show();
    fireEvent.click(screen.getByRole("button", { name: "Mark" }));
    const field = screen.getByRole("textbox");
    fireEvent.keyDown(field, { key: "m" });
    expect(screen.getAllByRole("textbox")).toHaveLength(1);
    fireEvent.keyDown(field, { key: "Escape" });
    expect(screen.queryByRole("textbox")).toBeNull();
    expect(requests("mark")).toEqual([]);
  });

  test("a session that runs is ended, one that does not is started", async () => {
    await show(userSnapshot({ state: { heart_rate: heartRate(), session: { session } } }));
    expect(screen.getByText("Intervals, 44 min")).toBeDefined();
    expect(screen.getByRole("button", { name: "Session" })).toBeDefined();
    fireEvent.click(screen.getByRole("button", { name: "End session" }));
    expect(requests("endSession")[0]?.params).toEqual({ user: "u1" });
  });

  test("this session is all of it, a minute after its button was pressed too", async () => {
    await show(userSnapshot({ state: { heart_rate: heartRate(), session: { session } } }));
    fireEvent.click(screen.getByRole("button", { name: "Session" }));
    const slider = screen.getByRole("slider", { name: "Time shown" });
    const minutes = () => Math.round((Number.parseFloat(slider.style.width) / 100) * 24 * 60);
    expect(minutes()).toBe(44);
    await act(() => vi.advanceTimersByTimeAsync(5 * MINUTE));
    expect(minutes()).toBe(49);
    expect(document.querySelector("#line")?.textContent).toBe("This session");
  });

  test("a refusal is said", async () => {
    await show();
    fireEvent.click(screen.getByRole("button", { name: "Start session" }));
    fireEvent.change(screen.getByRole("textbox"), { target: { value: "Easy" } });
    fireEvent.submit(screen.getByRole("textbox"));
    const [{ request } = { request: null }] = requests("startSession");
    await act(async () => {
      latestSocket().say({ type: "ERROR", request, code: "failed", message: "not stored now" });
      await vi.advanceTimersByTimeAsync(0);
    });
    expect(screen.getByText("Not done: not stored now")).toBeDefined();
  });

  test("who may not finds neither button nor key", async () => {
    await show(userSnapshot(), false);
    fireEvent.keyDown(screen.getByRole("heading", { level: 1 }), { key: "m" });
    expect(screen.queryByRole("textbox")).toBeNull();
    expect(screen.queryByRole("button", { name: "Mark" })).toBeNull();
  });
});

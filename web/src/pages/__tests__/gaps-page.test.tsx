// Both pages opened after an outage, over a fake server: each hole has its cause, and a list of them.
import { act, fireEvent, render, screen, within } from "@testing-library/react";
import axe from "axe-core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { STOOD_MS } from "@/hooks/use-stood";
import type { Gap } from "@/protocol/messages";
import {
  EPOCH,
  fakeSockets,
  heartRate,
  historyPage,
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

const T = SERVER_TIME;
const S = 1_000;
const MINUTE = 60 * S;
/** Nothing in the last 200 to 140, and 100 to 60 seconds. */
const HOLES = [
  [-200, -140],
  [-100, -60],
] as const;
const TIMES = Array.from({ length: 331 }, (_, second) => second - 330).filter((second) =>
  HOLES.every(([from, to]) => second <= from || second >= to),
);
const KILLED: Gap = gap(-200, -140, "bridgeDown", "killed");
const DROPPED: Gap = { ...gap(-100, -60, "dropped", "sizeBound"), count: 39 };

function gap(fromS: number, toS: number, cause: string, evidence: string): Gap {
  return { fromMs: T + fromS * S, toMs: T + toS * S, cause, evidence };
}

let ledger: Gap[];
let answered: Set<unknown>;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("ResizeObserver", StillObserver);
  fakeSockets();
  sessionStorage.clear();
  history.replaceState(null, "", "/");
  websocketService.configure({ token: "a.b.c", lineMs: 370 * S });
  ledger = [KILLED, DROPPED];
  answered = new Set();
});
afterEach(() => {
  websocketService.disconnect();
  vi.useRealTimers();
});

function resultOf(method: unknown, params: Record<string, unknown>) {
  const position = [EPOCH, 10];
  const { user, metric, resolution } = params;
  const [from, to] = [Number(params.fromMs), Number(params.toMs)];
  const touches = ({ fromMs, toMs }: Gap) => fromMs < to && toMs > from;
  if (method === "gaps") {
    return { user, metric, gaps: ledger.filter(touches), completeThroughMs: T, position };
  }
  if (method === "sessions") {
    return { user, sessions: [], position };
  }
  const at = TIMES.map((second) => T + second * S);
  return metric === "heart_rate" && resolution === "raw"
    ? historyPage(
        at,
        at.map(() => 70),
      )
    : { user, metric, resolution, series: [], stretches: [], position };
}

/** Answers all that is asked until nothing more is. */
async function settle() {
  for (let round = 0; round < 4; round += 1) {
    await act(() => vi.advanceTimersByTimeAsync(STOOD_MS));
    await act(async () => {
      for (const { request, method, params } of latestSocket().got("REQUEST")) {
        if (!answered.has(request)) {
          answered.add(request);
          const result = resultOf(method, params as Record<string, unknown>);
          latestSocket().say({ type: "RESULT", request, result });
        }
      }
      await vi.advanceTimersByTimeAsync(0);
    });
  }
}

async function show() {
  render(<PeoplePage />);
  await act(async () => {
    latestSocket().open({ u1: userSnapshot() });
    await vi.advanceTimersByTimeAsync(0);
  });
  await settle();
}

async function open() {
  fireEvent.click(screen.getByRole("button", { name: "Maren Holt" }));
  await act(async () => {
    await vi.dynamicImportSettled();
    await vi.advanceTimersByTimeAsync(0);
  });
  await settle();
}

function asked(method: string) {
  return latestSocket()
    .got("REQUEST")
    .filter((message) => message.method === method);
}

test("everyone's page: each hole in words, pointed at, heard and written below", async () => {
  await show();
  const channel = within(screen.getByRole("article", { name: "Maren Holt" }));
  const words = ["bridge off: it crashed or lost power, 1 min", "the bridge’s card was full, 40 s"];
  const buttons = within(channel.getByRole("list", { name: "Gaps" })).getAllByRole("button");
  expect(buttons).toHaveLength(2);
  for (const [index, part] of words.entries()) {
    expect(buttons[index]?.getAttribute("aria-label")).toContain(part);
  }
  expect(channel.getByRole("img", { name: /it crashed or lost power/ })).toBeDefined();
  expect(
    channel.getByText(/^Gap of 1 min at .*it crashed or lost power\. Gap of 40 s/),
  ).toBeDefined();
});

test("everyone's page asks for nobody who has no hole, and once for who has", async () => {
  await show();
  expect(asked("gaps")).toHaveLength(1);
  const [stretch] = asked("gaps").map(({ params }) => params as Gap);
  expect(stretch?.fromMs).toBeLessThanOrEqual(KILLED.fromMs);
  expect(stretch?.toMs).toBeGreaterThanOrEqual(DROPPED.toMs);
});

test("a cause that becomes known takes the place of silence", async () => {
  ledger = [gap(-200, -140, "silent", "linkLost")];
  await show();
  const hole = () =>
    screen.getAllByRole("button", { name: /, from / })[0]?.getAttribute("aria-label");
  expect(hole()).toContain("silent: off, asleep or out of range, 1 min");
  ledger = [gap(-200, -140, "radioLost", "heard")];
  await act(async () => {
    latestSocket().say({
      type: "HISTORY_CHANGED",
      user: "u1",
      metric: "gap",
      data: { gap: ledger[0] },
      fromMs: T - 200 * S,
      toMs: T - 200 * S + 1,
      count: 1,
      position: [EPOCH, 10],
      previous: [EPOCH, 9],
      serverTime: T + S,
      why: "backfilled",
    });
    await vi.advanceTimersByTimeAsync(2_000);
  });
  await settle();
  expect(hole()).toContain("radio lost: strap heard, no link, 1 min");
});

test("a person's page lists the gaps of what is shown, and counts as the list does", async () => {
  await show();
  await open();
  const list = within(screen.getByRole("region", { name: /^2 gaps, 1 min 40 s/ }));
  const rows = list.getAllByRole("listitem").map((row) => row.textContent);
  expect(rows).toHaveLength(2);
  expect(rows[0]).toMatch(/ to .* 40 s readings dropped: the bridge’s card was full, 39 readings$/);
  expect(rows[1]).toMatch(/ 1 min bridge off: it crashed or lost power$/);
  const missing = () => screen.getByText("Missing").closest("div")?.textContent;
  expect(missing()).toContain("1 min 40 sin 2 gaps");
  // As the list counts them where means are too long to show them, too.
  fireEvent.click(screen.getByRole("button", { name: "Day" }));
  await settle();
  expect(missing()).toContain("1 min 40 sin 2 gaps");
});

test("a long list shows the newest few, and more when asked", async () => {
  ledger = Array.from({ length: 10 }, (_, n) => gap(-1_000 + 20 * n, -990 + 20 * n, "notWorn", ""));
  await show();
  await open();
  fireEvent.click(screen.getByRole("button", { name: "30 min" }));
  await settle();
  const list = within(screen.getByRole("region", { name: /^10 gaps/ }));
  expect(list.getAllByRole("listitem")).toHaveLength(6);
  fireEvent.click(list.getByRole("button", { name: "Show 4 more" }));
  expect(list.getAllByRole("listitem")).toHaveLength(10);
});

test("of a week the newest day is asked for, and earlier ones when asked", async () => {
  const old = { ...KILLED, fromMs: T - 30 * 60 * MINUTE, toMs: T - 29 * 60 * MINUTE };
  ledger = [old, KILLED];
  await show();
  await open();
  fireEvent.click(screen.getByRole("button", { name: "Week" }));
  await settle();
  const list = () => within(screen.getByRole("region", { name: /gaps?, .* since / }));
  expect(list().getAllByRole("listitem")).toHaveLength(1);
  fireEvent.click(list().getByRole("button", { name: "Earlier gaps" }));
  await settle();
  expect(list().getAllByRole("listitem")).toHaveLength(2);
});

test("a server that does not know the question: no list, and no question again", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  render(<PeoplePage />);
  await act(async () => {
    latestSocket().open({ u1: userSnapshot({ state: { heart_rate: heartRate() } }) });
    await vi.advanceTimersByTimeAsync(0);
  });
  const refuse = async () => {
    await act(() => vi.advanceTimersByTimeAsync(STOOD_MS));
    await act(async () => {
      for (const { request, method } of latestSocket().got("REQUEST")) {
        if (method === "gaps" && !answered.has(request)) {
          answered.add(request);
          latestSocket().say({ type: "ERROR", request, code: "unknownMethod", message: "no" });
        }
      }
      await vi.advanceTimersByTimeAsync(0);
    });
  };
  await open();
  await refuse();
  const before = asked("gaps").length;
  await act(() => vi.advanceTimersByTimeAsync(20 * S));
  expect(before).toBeGreaterThan(0);
  expect(asked("gaps")).toHaveLength(before);
});

test("is accessible with gaps, to point at and in a list", async () => {
  await show();
  await open();
  vi.useRealTimers();
  const { violations } = await axe.run(document.body, {
    rules: { "color-contrast": { enabled: false }, region: { enabled: false } },
  });
  expect(violations.map(({ id }) => id)).toEqual([]);
});

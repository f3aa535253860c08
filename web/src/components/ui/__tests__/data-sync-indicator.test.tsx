import { act, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import DataSyncIndicator, { SyncStatus } from "../data-sync-indicator";

const NOW = new Date("2025-10-14T12:05:40Z");

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime(NOW);
});
afterEach(() => {
  vi.useRealTimers();
});

function ago(ms: number): Date {
  return new Date(NOW.getTime() - ms);
}

describe("what is shown", () => {
  test.each([
    [SyncStatus.REALTIME, "Live", "1 s ago"],
    [SyncStatus.SYNCING, "Catching up", null],
    [SyncStatus.SYNCED, "Up to date", /^nothing since \d\d:\d\d$/],
    [SyncStatus.OFFLINE, "Offline", /^since \d\d:\d\d$/],
    [SyncStatus.ERROR, "Stopped", /^since \d\d:\d\d$/],
    [SyncStatus.CONNECTING, "Not known yet", null],
  ])("%s", (status, word, detail) => {
    const { container } = render(
      <DataSyncIndicator status={status} lastSyncTime={ago(1_000)} variant="badge" />,
    );
    expect(screen.getByText(word)).toBeDefined();
    expect(container.querySelector("[data-status]")?.getAttribute("data-status")).toBe(status);
    if (detail === null) {
      expect(container.querySelector(".more")).toBeNull();
    } else {
      expect(screen.getByText(detail)).toBeDefined();
    }
  });

  test("every status has a glyph of its own", () => {
    const shapes = Object.values(SyncStatus).map((status) => {
      const { container, unmount } = render(<DataSyncIndicator status={status} />);
      const shape = container.querySelector("svg")?.innerHTML ?? "";
      unmount();
      return shape;
    });
    expect(new Set(shapes).size).toBe(6);
  });

  test("an age counts on", () => {
    render(<DataSyncIndicator status={SyncStatus.REALTIME} lastSyncTime={ago(1_000)} />);
    act(() => vi.advanceTimersByTime(3_000));
    expect(screen.getByText("4 s ago")).toBeDefined();
  });

  test("who knows better says so", () => {
    render(
      <DataSyncIndicator
        status={SyncStatus.OFFLINE}
        lastSyncTime={ago(1_000)}
        detail="312 waiting"
      />,
    );
    expect(screen.getByText("312 waiting")).toBeDefined();
  });

  test("an icon speaks the whole sentence", () => {
    render(
      <DataSyncIndicator
        status={SyncStatus.REALTIME}
        lastSyncTime={ago(1_000)}
        variant="icon"
        announce={false}
      />,
    );
    expect(screen.getByText("Live. Last reading 1 second ago.")).toBeDefined();
  });

  test("text and full", () => {
    render(
      <>
        <DataSyncIndicator status={SyncStatus.SYNCED} variant="text" announce={false} />
        <DataSyncIndicator status={SyncStatus.REALTIME} variant="full" announce={false}>
          <p>the way here</p>
        </DataSyncIndicator>
      </>,
    );
    expect(screen.getByText("Up to date")).toBeDefined();
    expect(screen.getByRole("region", { name: "How readings reach you: Live" })).toBeDefined();
    expect(screen.getByText("the way here")).toBeDefined();
  });
});

describe("the sync button", () => {
  test("calls, and has its words", () => {
    const onSyncClick = vi.fn();
    const { unmount } = render(
      <DataSyncIndicator status={SyncStatus.REALTIME} showSyncButton onSyncClick={onSyncClick} />,
    );
    fireEvent.click(screen.getByRole("button", { name: "Sync now" }));
    expect(onSyncClick).toHaveBeenCalledOnce();
    unmount();
    render(<DataSyncIndicator status={SyncStatus.OFFLINE} showSyncButton />);
    expect(screen.getByRole("button", { name: "Try now" })).toBeDefined();
  });

  test("rests while it syncs", () => {
    render(<DataSyncIndicator status={SyncStatus.SYNCING} showSyncButton syncLabel="Go" />);
    expect(screen.getByRole<HTMLButtonElement>("button", { name: "Syncing" }).disabled).toBe(true);
  });

  test("what is asked shows for a second at least, then what came of it, then the button", async () => {
    const onSyncClick = vi.fn(() => Promise.resolve("1 bridge asked"));
    render(
      <DataSyncIndicator status={SyncStatus.REALTIME} showSyncButton onSyncClick={onSyncClick} />,
    );
    const button = screen.getByRole("button", { name: "Sync now" });
    button.focus();
    fireEvent.click(button);
    expect(button.textContent).toBe("Asking…");
    expect(button.getAttribute("aria-disabled")).toBe("true");
    fireEvent.click(button);
    expect(onSyncClick).toHaveBeenCalledOnce();
    await act(() => vi.advanceTimersByTimeAsync(990));
    expect(button.textContent).toBe("Asking…");
    await act(() => vi.advanceTimersByTimeAsync(20));
    expect(button.textContent).toBe("1 bridge asked");
    await act(() => vi.advanceTimersByTimeAsync(1_500));
    expect(button.textContent).toBe("1 bridge asked");
    await act(() => vi.advanceTimersByTimeAsync(2_000));
    expect(button.textContent).toBe("Sync now");
    expect(document.activeElement).toBe(button);
  });

  test("a question that fails says so; one without an answer is asked for a second", async () => {
    const refused = () => Promise.reject(new Error("the connection went"));
    const { rerender } = render(
      <DataSyncIndicator status={SyncStatus.REALTIME} showSyncButton onSyncClick={refused} />,
    );
    const button = screen.getByRole("button", { name: "Sync now" });
    fireEvent.click(button);
    await act(() => vi.advanceTimersByTimeAsync(1_010));
    expect(button.textContent).toBe("No answer");
    await act(() => vi.advanceTimersByTimeAsync(4_000));
    rerender(<DataSyncIndicator status={SyncStatus.REALTIME} showSyncButton />);
    fireEvent.click(button);
    await act(() => vi.advanceTimersByTimeAsync(990));
    expect(button.textContent).toBe("Asking…");
    await act(() => vi.advanceTimersByTimeAsync(20));
    expect(button.textContent).toBe("Sync now");
  });

  test("is absent where it is not asked for", () => {
    render(<DataSyncIndicator status={SyncStatus.REALTIME} />);
    expect(screen.queryByRole("button")).toBeNull();
  });
});

describe("opening the way of the readings", () => {
  function opener() {
    return screen.getByRole("button", { name: /^Connection: Live/ });
  }

  test("by the button; Escape closes and gives the focus back", () => {
    render(
      <DataSyncIndicator status={SyncStatus.REALTIME} showSyncButton announce={false}>
        <p>strap, bridge, server, you</p>
      </DataSyncIndicator>,
    );
    expect(opener().getAttribute("aria-expanded")).toBe("false");
    fireEvent.click(opener());
    expect(opener().getAttribute("aria-expanded")).toBe("true");
    const region = screen.getByRole("region", { name: "How readings reach you" });
    expect(opener().getAttribute("aria-controls")).toBe(region.id);
    const sync = screen.getByRole("button", { name: "Sync now" });
    sync.focus();
    fireEvent.keyDown(sync, { key: "Escape" });
    expect(screen.queryByText("strap, bridge, server, you")).toBeNull();
    expect(document.activeElement).toBe(opener());
  });

  test("Escape closes it wherever the focus is, and only while it is open", () => {
    render(
      <DataSyncIndicator status={SyncStatus.REALTIME} announce={false}>
        <p>the way</p>
      </DataSyncIndicator>,
    );
    fireEvent.click(opener());
    fireEvent.keyDown(document.body, { key: "Escape" });
    expect(screen.queryByText("the way")).toBeNull();
    expect(document.activeElement).toBe(opener());
    opener().blur();
    fireEvent.keyDown(document.body, { key: "Escape" });
    expect(document.activeElement).toBe(document.body);
  });

  test("the focus that goes on beyond it closes it, a click on its text does not", () => {
    render(
      <>
        <DataSyncIndicator status={SyncStatus.REALTIME} showSyncButton announce={false}>
          <p>the way</p>
        </DataSyncIndicator>
        <button type="button">after</button>
      </>,
    );
    fireEvent.click(opener());
    const sync = screen.getByRole("button", { name: "Sync now" });
    opener().focus();
    sync.focus();
    sync.blur();
    expect(screen.getByText("the way")).toBeDefined();
    sync.focus();
    act(() => screen.getByRole("button", { name: "after" }).focus());
    expect(screen.queryByText("the way")).toBeNull();
  });

  test("nor does it stay when there is nothing beyond to go to", () => {
    render(
      <DataSyncIndicator status={SyncStatus.REALTIME} showSyncButton announce={false}>
        <p>the way</p>
      </DataSyncIndicator>,
    );
    fireEvent.click(opener());
    const sync = screen.getByRole("button", { name: "Sync now" });
    sync.focus();
    fireEvent.keyDown(sync, { key: "Tab" });
    act(() => sync.blur());
    expect(screen.queryByText("the way")).toBeNull();
  });

  test("a pointer elsewhere closes it, one within does not", () => {
    render(
      <>
        <DataSyncIndicator status={SyncStatus.REALTIME} announce={false}>
          <p>the way</p>
        </DataSyncIndicator>
        <p>elsewhere</p>
      </>,
    );
    fireEvent.click(opener());
    fireEvent.pointerDown(screen.getByText("the way"));
    expect(screen.getByText("the way")).toBeDefined();
    fireEvent.pointerDown(screen.getByText("elsewhere"));
    expect(screen.queryByText("the way")).toBeNull();
  });
});

describe("the polite region", () => {
  test("speaks after three seconds, and not for an age", () => {
    render(<DataSyncIndicator status={SyncStatus.REALTIME} lastSyncTime={ago(1_000)} />);
    const region = screen.getByRole("status");
    expect(region.textContent).toBe("");
    act(() => vi.advanceTimersByTime(3_100));
    const said = region.textContent;
    expect(said).toMatch(/^Live\. Last reading \d seconds? ago\.$/);
    act(() => vi.advanceTimersByTime(30_000));
    expect(region.textContent).toBe(said);
  });

  test("may be silent", () => {
    render(<DataSyncIndicator status={SyncStatus.REALTIME} announce={false} />);
    expect(screen.queryByRole("status")).toBeNull();
  });
});

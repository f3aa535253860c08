import { act, render, renderHook, screen } from "@testing-library/react";
import { StrictMode } from "react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  type FakeSocket,
  fakeSockets,
  latestSocket,
  SERVER_TIME,
  update,
  userSnapshot,
  status as userStatus,
} from "@/services/__tests__/fake-server";
import websocketService, {
  ConnectionStatus,
  WebSocketEventType,
} from "@/services/websocket-service";
import { useWebSocket, useWebSocketEvent, useWebSocketEventDetails } from "../use-websocket";

let sockets: FakeSocket[];

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  sockets = fakeSockets();
  websocketService.configure({ token: "a.b.c" });
});

afterEach(() => {
  websocketService.disconnect();
  vi.useRealTimers();
});

describe("useWebSocket", () => {
  test("connects while it is on the page, and tells the status", () => {
    const { result, unmount } = renderHook(() =>
      useWebSocket({ autoConnect: true, autoReconnect: true }),
    );
    expect(result.current.status).toBe(ConnectionStatus.CONNECTING);
    act(() => latestSocket().open());
    expect(result.current.status).toBe(ConnectionStatus.CONNECTED);
    act(() => latestSocket().drop(1006));
    expect(result.current.status).toBe(ConnectionStatus.RECONNECTING);
    unmount();
    vi.advanceTimersByTime(60_000);
    expect(sockets).toHaveLength(1);
    expect(websocketService.getSnapshot().connection.status).toBe(ConnectionStatus.DISCONNECTED);
  });

  test("strict mode, which mounts twice, makes one connection", () => {
    renderHook(() => useWebSocket(), { wrapper: StrictMode });
    act(() => vi.advanceTimersByTime(10));
    expect(sockets).toHaveLength(1);
  });

  test("autoConnect: false waits to be told", () => {
    const { result } = renderHook(() => useWebSocket({ autoConnect: false }));
    expect(sockets).toHaveLength(0);
    expect(result.current.status).toBe(ConnectionStatus.DISCONNECTED);
  });

  test("autoReconnect: false tries once", () => {
    const { result, unmount } = renderHook(() => useWebSocket({ autoReconnect: false }));
    act(() => latestSocket().drop(1006));
    act(() => vi.advanceTimersByTime(120_000));
    expect(sockets).toHaveLength(1);
    expect(result.current.status).toBe(ConnectionStatus.DISCONNECTED);
    unmount();
    websocketService.configure({ autoReconnect: true });
  });

  test("send is the service's, and stays the same function", () => {
    const { result, rerender } = renderHook(() => useWebSocket());
    const { send } = result.current;
    act(() => latestSocket().open());
    rerender();
    expect(result.current.send).toBe(send);
    send(WebSocketEventType.SYNC_STATUS_UPDATE, { status: "syncing" });
    expect(latestSocket().sent.at(-1)).toEqual({ type: "SYNC_STATUS_UPDATE", status: "syncing" });
  });
});

function Steps() {
  const data = useWebSocketEvent(WebSocketEventType.HEALTH_DATA_UPDATE, null);
  return <p>{data === null ? "nothing" : `current ${data.heartRate?.current}`}</p>;
}

describe("useWebSocketEvent", () => {
  test("starts with the initial value, then the user's whole state", () => {
    const initial = userStatus({ status: "connecting" });
    const { result } = renderHook(() => {
      useWebSocket();
      return useWebSocketEvent(WebSocketEventType.SYNC_STATUS_UPDATE, initial, "nobody");
    });
    expect(result.current).toBe(initial);
  });

  test("renders what comes", () => {
    renderHook(() => useWebSocket());
    render(<Steps />);
    act(() => latestSocket().open());
    expect(screen.getByText("current 72")).toBeDefined();
    act(() => latestSocket().say(update(11, 10)));
    expect(screen.getByText("current 71")).toBeDefined();
  });

  test("one user's own, where a user is named; user and message beside it", () => {
    const { result } = renderHook(() => {
      useWebSocket();
      return {
        anyone: useWebSocketEventDetails(WebSocketEventType.HEALTH_DATA_UPDATE),
        u2: useWebSocketEventDetails(WebSocketEventType.HEALTH_DATA_UPDATE, "u2"),
      };
    });
    act(() =>
      latestSocket().open({ u1: userSnapshot(), u2: userSnapshot({ name: "Tomás Reyes" }) }),
    );
    const message = update(11, 10);
    act(() => latestSocket().say(message));
    expect(result.current.anyone).toMatchObject({ user: "u1", details: message });
    expect(result.current.u2).toMatchObject({ user: "u2", details: null });
  });

  test("whose grant went is gone from the hook too", () => {
    const { result } = renderHook(() => {
      useWebSocket();
      return useWebSocketEvent(WebSocketEventType.HEALTH_DATA_UPDATE, null);
    });
    act(() => latestSocket().open());
    expect(result.current).not.toBeNull();
    act(() => latestSocket().say({ type: "SUBSCRIPTION_CHANGED", added: [], removed: ["u1"] }));
    expect(result.current).toBeNull();
    expect(websocketService.latest(WebSocketEventType.SYNC_STATUS_UPDATE, "u1")).toBeNull();
  });

  test("the connection's own event", () => {
    const { result } = renderHook(() => {
      useWebSocket();
      return useWebSocketEvent(WebSocketEventType.CONNECTION_STATUS_UPDATE, null);
    });
    act(() => latestSocket().open());
    act(() => latestSocket().drop(1012));
    expect(result.current).toMatchObject({ reason: "serverRestarts", lostAtMs: SERVER_TIME });
  });
});

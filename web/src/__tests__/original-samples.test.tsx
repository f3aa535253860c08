// The samples of the original service's document, as they stand there.
import { act, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import DataSyncIndicator, { SyncStatus } from "@/components/ui/data-sync-indicator";
import { useWebSocket, useWebSocketEvent } from "@/hooks/use-websocket";
import {
  fakeSockets,
  latestSocket,
  SERVER_TIME,
  update,
  userSnapshot,
} from "@/services/__tests__/fake-server";
import websocketService, { WebSocketEventType } from "@/services/websocket-service";

const steps = {
  today: 10_000,
  last: null,
  dayEndsMs: SERVER_TIME + 3_600_000,
  freshForMs: 60_000,
  onChange: false,
};

beforeEach(() => {
  fakeSockets();
  websocketService.configure({ token: "a.b.c" });
});
afterEach(() => websocketService.disconnect());

test("the service", () => {
  const console = { log: vi.fn() };

  // Connect to the WebSocket server
  websocketService.connect();

  // Subscribe to health data updates
  websocketService.addEventListener(WebSocketEventType.HEALTH_DATA_UPDATE, (data) => {
    console.log("Received health data update:", data);
  });

  // Send a message
  websocketService.send(WebSocketEventType.SYNC_STATUS_UPDATE, { status: "syncing" });

  latestSocket().open({ u1: userSnapshot({ state: { steps } }) });
  expect(latestSocket().sent.at(-1)).toEqual({ type: "SYNC_STATUS_UPDATE", status: "syncing" });
  latestSocket().say(update(11, 10));
  expect(console.log).toHaveBeenLastCalledWith(
    "Received health data update:",
    expect.objectContaining({
      steps: 10_000,
      heartRate: expect.objectContaining({ average: 70, current: 71 }),
    }),
  );
});

test("the hooks", () => {
  // biome-ignore lint/correctness/noComponentHookFactories: the sample as it stands
  function MyComponent() {
    // Connect to WebSocket and get status
    const { status, send } = useWebSocket({
      autoConnect: true,
      autoReconnect: true,
    });

    // Subscribe to health data updates
    const healthData = useWebSocketEvent(WebSocketEventType.HEALTH_DATA_UPDATE, null);

    // Use the data in your component
    return (
      <div>
        <p>Connection status: {status}</p>
        {healthData && <p>Steps: {healthData.steps}</p>}
        <button type="button" onClick={() => send(WebSocketEventType.SYNC_STATUS_UPDATE)} />
      </div>
    );
  }

  render(<MyComponent />);
  expect(screen.getByText("Connection status: connecting")).toBeDefined();
  act(() => latestSocket().open({ u1: userSnapshot({ state: { steps } }) }));
  expect(screen.getByText("Connection status: connected")).toBeDefined();
  expect(screen.getByText("Steps: 10000")).toBeDefined();
});

function Steps() {
  useWebSocket({ autoConnect: true, autoReconnect: true });
  const healthData = useWebSocketEvent(WebSocketEventType.HEALTH_DATA_UPDATE, null);
  return <p>Steps: {healthData?.steps}</p>;
}

test("the hooks, where only the host application has said anything", () => {
  render(<Steps />);
  const summary = {
    summary: { steps: 10_000, heartRate: { average: 75 } },
    atMs: SERVER_TIME,
  };
  act(() => latestSocket().open({ u1: userSnapshot({ state: { summary } }) }));
  expect(screen.getByText("Steps: 10000")).toBeDefined();
});

test("the indicator", () => {
  const handleManualSync = vi.fn();

  // biome-ignore lint/correctness/noComponentHookFactories: the sample as it stands
  function MyComponent() {
    return (
      <DataSyncIndicator
        status={SyncStatus.REALTIME}
        lastSyncTime={new Date()}
        showSyncButton={true}
        onSyncClick={handleManualSync}
        variant="badge"
      />
    );
  }

  render(<MyComponent />);
  expect(screen.getByText("Live")).toBeDefined();
  act(() => screen.getByRole("button", { name: "Sync now" }).click());
  expect(handleManualSync).toHaveBeenCalledOnce();
});

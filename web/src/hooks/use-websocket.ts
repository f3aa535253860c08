// React's view of the live data service: connection, and the latest event of a type.
import { useCallback, useEffect, useSyncExternalStore } from "react";
import websocketService, {
  type ConnectionStatus,
  type EventData,
  type ServiceSnapshot,
  type WebSocketEvent,
  type WebSocketEventType,
} from "@/services/websocket-service";

export interface UseWebSocketOptions {
  /** Connect while a component that uses this is on the page. True by default. */
  readonly autoConnect?: boolean;
  /** Try a lost connection again. True by default. */
  readonly autoReconnect?: boolean;
}

export interface UseWebSocket {
  readonly status: ConnectionStatus;
  /** Sends `{type, ...payload}`; waits for a session where there is none. */
  readonly send: (
    type: WebSocketEventType | string,
    payload?: Readonly<Record<string, unknown>>,
  ) => boolean;
}

const send: UseWebSocket["send"] = (type, payload) => websocketService.send(type, payload);

/** The connection: its status, and a way to send. */
export function useWebSocket({
  autoConnect = true,
  autoReconnect = true,
}: UseWebSocketOptions = {}): UseWebSocket {
  useEffect(() => websocketService.configure({ autoReconnect }), [autoReconnect]);
  useEffect(() => (autoConnect ? websocketService.hold() : undefined), [autoConnect]);
  const { connection } = useWebSocketSnapshot();
  return { status: connection.status, send };
}

/** Everything that the service knows: the connection and each person's state. */
export function useWebSocketSnapshot(): ServiceSnapshot {
  return useSyncExternalStore(websocketService.subscribe, websocketService.getSnapshot);
}

/** The latest data of this type, of `user` or of anyone; `initial` before the first. */
export function useWebSocketEvent<Type extends WebSocketEventType>(
  type: Type,
  initial: EventData[Type],
  user?: string,
): EventData[Type];
export function useWebSocketEvent<Type extends WebSocketEventType>(
  type: Type,
  initial: EventData[Type] | null,
  user?: string,
): EventData[Type] | null;
export function useWebSocketEvent<Type extends WebSocketEventType>(
  type: Type,
  initial: EventData[Type] | null,
  user?: string,
): EventData[Type] | null {
  return useWebSocketEventDetails(type, user)?.data ?? initial;
}

/** The latest event of this type with whose it is and the message that brought it. */
export function useWebSocketEventDetails<Type extends WebSocketEventType>(
  type: Type,
  user?: string,
): WebSocketEvent<Type> | null {
  const latest = useCallback(() => websocketService.latest(type, user), [type, user]);
  // The store, not the event: what is no longer granted goes without an event of its own.
  return useSyncExternalStore(websocketService.subscribe, latest);
}

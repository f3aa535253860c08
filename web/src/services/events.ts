// The service's events and its connection's states, by name.
import type {
  HealthDataUpdate,
  HistoryChanged,
  SubscriptionChanged,
  SyncStatusUpdate,
  UserStatus,
} from "@/protocol/messages";
import type { Reason } from "./close-codes";
import type { HealthData } from "./health-data";

export enum WebSocketEventType {
  /** A user's state is new: the whole of it. */
  HEALTH_DATA_UPDATE = "HEALTH_DATA_UPDATE",
  /** A user's way from strap to server is new. */
  SYNC_STATUS_UPDATE = "SYNC_STATUS_UPDATE",
  /** A user's past is new. */
  HISTORY_CHANGED = "HISTORY_CHANGED",
  /** Who may be watched is new. */
  SUBSCRIPTION_CHANGED = "SUBSCRIPTION_CHANGED",
  /** The connection to the server is new. Made here, never sent. */
  CONNECTION_STATUS_UPDATE = "CONNECTION_STATUS_UPDATE",
}

export enum ConnectionStatus {
  /** Not asked to connect. */
  DISCONNECTED = "disconnected",
  CONNECTING = "connecting",
  /** Subscribed: what is known is live. */
  CONNECTED = "connected",
  /** Lost, and tried again at `retryAtMs`. */
  RECONNECTING = "reconnecting",
  /** The browser has no network; tried again when it has. */
  OFFLINE = "offline",
  /** Given up, because a person must do something: see `reason`. */
  STOPPED = "stopped",
}

export interface ConnectionState {
  readonly status: ConnectionStatus;
  /** Why there is no session; null while there is one, or before the first try. */
  readonly reason: Reason | null;
  /** When the session was lost, by the server's clock; null before the first and during one. */
  readonly lostAtMs: number | null;
  /** When it is tried again, on this page's monotonic clock (`performance.now()`). */
  readonly retryAtMs: number | null;
  /** The hearts are not real: the server plays a recording. */
  readonly simulated: boolean;
  /** This link may start and end sessions and set marks. */
  readonly mayMark: boolean;
}

/** What a listener gets first, by the type of the event. */
export interface EventData {
  [WebSocketEventType.HEALTH_DATA_UPDATE]: HealthData;
  [WebSocketEventType.SYNC_STATUS_UPDATE]: UserStatus;
  [WebSocketEventType.HISTORY_CHANGED]: HealthData;
  [WebSocketEventType.SUBSCRIPTION_CHANGED]: SubscriptionChanged;
  [WebSocketEventType.CONNECTION_STATUS_UPDATE]: ConnectionState;
}

/** What a listener gets beside the data. */
export interface EventInfo {
  /** Whose data this is; null where it is nobody's. */
  readonly user: string | null;
  /** The message itself; null where a snapshot told it, or the service. */
  readonly details:
    | HealthDataUpdate
    | HistoryChanged
    | SyncStatusUpdate
    | SubscriptionChanged
    | null;
}

export interface WebSocketEvent<Type extends WebSocketEventType> extends EventInfo {
  readonly data: EventData[Type];
}

export type Listener<Type extends WebSocketEventType> = (
  data: EventData[Type],
  info: EventInfo,
) => void;

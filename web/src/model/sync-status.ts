// How near the screen is to the wearer, by the names of the wire.

export enum SyncStatus {
  CONNECTING = "connecting",
  REALTIME = "realtime",
  SYNCING = "syncing",
  SYNCED = "synced",
  OFFLINE = "offline",
  ERROR = "error",
}

/** The word that is shown, and spoken first. */
export const STATUS_WORDS: Readonly<Record<SyncStatus, string>> = {
  [SyncStatus.CONNECTING]: "Not known yet",
  [SyncStatus.REALTIME]: "Live",
  [SyncStatus.SYNCING]: "Catching up",
  [SyncStatus.SYNCED]: "Up to date",
  [SyncStatus.OFFLINE]: "Offline",
  [SyncStatus.ERROR]: "Stopped",
};

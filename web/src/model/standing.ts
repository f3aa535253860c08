// The connection as a whole, for the indicator in the bar: one status, what is shown, what is said.
import { Reason } from "@/services/close-codes";
import { type ConnectionState, ConnectionStatus } from "@/services/events";
import type { WatchedPerson } from "@/services/feed";
import { isHeartRate } from "@/services/health-data";
import { reasonShort } from "./reason-words";
import { SyncStatus } from "./sync-status";
import { ago, agoSpoken, capital, clock, count, readings } from "./words";

export interface Standing {
  readonly status: SyncStatus;
  /** Beside the status's word: "1 s ago". */
  readonly detail: string;
  /** The whole for a voice: "Live. Last reading 1 second ago." */
  readonly spoken: string;
  /** What changes when there is something new to say; an age that counts on is not. */
  readonly key: string;
}

export interface StandingInput {
  readonly connection: ConnectionState;
  readonly people: readonly WatchedPerson[];
  readonly nowMs: number | null;
  /** Until the next try. */
  readonly retryInMs: number | null;
}

export function standingOf(input: StandingInput): Standing {
  const { connection } = input;
  if (connection.status === ConnectionStatus.STOPPED || isEnded(connection)) {
    const why = connection.reason === null ? "" : reasonShort(connection.reason);
    const said = connection.reason === null ? "" : STOPPED_SPOKEN[connection.reason];
    return {
      status: SyncStatus.ERROR,
      detail: why,
      spoken: `Stopped. ${said ?? `${capital(why)}.`}`,
      key: why,
    };
  }
  if (connection.status === ConnectionStatus.CONNECTED) {
    return ofPeople(input);
  }
  return connection.lostAtMs === null && connection.reason === null
    ? { status: SyncStatus.CONNECTING, detail: "", spoken: NOT_KNOWN, key: "" }
    : ofLoss(input);
}

/** A link that has ended is still tried now and then, but a person must bring a new one. */
export function isEnded({ reason, status }: ConnectionState): boolean {
  return reason === Reason.LINK_ENDED && status !== ConnectionStatus.CONNECTED;
}

const NOT_KNOWN = "Connection not known yet.";

const STOPPED_SPOKEN: Partial<Record<Reason, string>> = {
  [Reason.LINK_REVOKED]: "This link was revoked.",
  [Reason.LINK_ENDED]: "This link has expired.",
  [Reason.NO_LINK]: "This page needs its link.",
};

function ofLoss({ connection, retryInMs }: StandingInput): Standing {
  const why = connection.reason === null ? "" : reasonShort(connection.reason);
  const since = connection.lostAtMs === null ? "" : ` since ${clock(connection.lostAtMs)}`;
  const tries =
    retryInMs === null
      ? "trying now"
      : `tries again in ${Math.max(1, Math.ceil(retryInMs / 1_000))} s`;
  return {
    status: SyncStatus.OFFLINE,
    detail: connection.status === ConnectionStatus.OFFLINE ? why : tries,
    spoken: `Offline${since}.${why === "" ? "" : ` ${capital(why)}.`}`,
    key: why,
  };
}

/** The best that anyone's readings do, unless something is still on its way. */
const ORDER = [
  SyncStatus.SYNCING,
  SyncStatus.REALTIME,
  SyncStatus.ERROR,
  SyncStatus.OFFLINE,
  SyncStatus.SYNCED,
  SyncStatus.CONNECTING,
] as const;

function ofPeople({ people, nowMs }: StandingInput): Standing {
  const statuses = new Set<string>(people.map((person) => person.status.status));
  const status = ORDER.find((one) => statuses.has(one)) ?? SyncStatus.SYNCED;
  const pending = people.reduce((sum, person) => sum + person.status.pending, 0);
  const lastMs = newest(people);
  switch (status) {
    case SyncStatus.REALTIME: {
      const ageMs = lastMs === null || nowMs === null ? null : Math.max(0, nowMs - lastMs);
      return {
        status,
        detail: ageMs === null ? "" : ago(ageMs),
        spoken: ageMs === null ? "Live." : `Live. Last reading ${agoSpoken(ageMs)}.`,
        key: "",
      };
    }
    case SyncStatus.SYNCING:
      return {
        status,
        detail: `${count(pending)} left`,
        spoken: `Catching up. ${readings(pending)} left.`,
        key: "",
      };
    case SyncStatus.OFFLINE:
      return {
        status,
        detail: pending === 0 ? "bridge offline" : `${count(pending)} waiting`,
        spoken: offlineSpoken(people, pending),
        key: "bridge",
      };
    case SyncStatus.ERROR:
      return {
        status,
        detail: "server cannot store",
        spoken: "Stopped. The server cannot store.",
        key: "",
      };
    case SyncStatus.CONNECTING:
      return { status, detail: "", spoken: NOT_KNOWN, key: "" };
    default:
      return idle(people, lastMs);
  }
}

function idle(people: readonly WatchedPerson[], lastMs: number | null): Standing {
  const status = SyncStatus.SYNCED;
  if (lastMs !== null) {
    const since = clock(lastMs);
    return {
      status,
      detail: `nothing since ${since}`,
      spoken: `Up to date. Nothing new since ${since}.`,
      key: "",
    };
  }
  const straps = people.some((person) => (person.status.hops.devices ?? []).length > 0);
  return straps
    ? { status, detail: "no reading yet", spoken: "Up to date. No reading yet.", key: "" }
    : { status, detail: "no strap yet", spoken: "Up to date. No strap yet.", key: "" };
}

function offlineSpoken(people: readonly WatchedPerson[], pending: number): string {
  const bridges = people.flatMap((person) => person.status.hops.bridges ?? []);
  const lost = bridges.filter((bridge) => bridge.state === "offline");
  const since = lost.length === 0 ? "" : ` since ${clock(Math.min(...lost.map((b) => b.sinceMs)))}`;
  return pending === 0
    ? `Offline${since}. The bridge is not reached.`
    : `Offline${since}. ${readings(pending)} ${pending === 1 ? "is" : "are"} waiting on the bridge.`;
}

function newest(people: readonly WatchedPerson[]): number | null {
  let newestMs: number | null = null;
  for (const person of people) {
    const heartRate = person.metrics.heart_rate;
    const atMs = isHeartRate(heartRate) ? (heartRate.last?.atMs ?? null) : null;
    const steps = person.metrics.steps;
    const stepsAtMs = steps !== undefined && "last" in steps ? (steps.last?.atMs ?? null) : null;
    for (const at of [atMs, stepsAtMs]) {
      if (at !== null && (newestMs === null || at > newestMs)) {
        newestMs = at;
      }
    }
  }
  return newestMs;
}

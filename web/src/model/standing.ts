// The connection as a whole, for the indicator in the bar: one status, what is shown, what is said.
import { Reason } from "@/services/close-codes";
import { type ConnectionState, ConnectionStatus } from "@/services/events";
import type { WatchedPerson } from "@/services/feed";
import { isHeartRate, isSteps } from "@/services/health-data";
import { reasonShort } from "./reason-words";
import { SyncStatus } from "./sync-status";
import { isOnlyTold, toldOf } from "./told";
import { ago, agoSpoken, capital, clock, count, duration, readings } from "./words";

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
  const ended = reason === Reason.LINK_ENDED || reason === Reason.LINK_REFUSED;
  return ended && status !== ConnectionStatus.CONNECTED;
}

const NOT_KNOWN = "Connection not known yet.";

const STOPPED_SPOKEN: Partial<Record<Reason, string>> = {
  [Reason.LINK_REVOKED]: "This link was revoked.",
  [Reason.LINK_ENDED]: "This link has expired.",
  [Reason.LINK_REFUSED]: "This link is not whole, or not of this server.",
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

function ofPeople({ people: all, nowMs }: StandingInput): Standing {
  const people = all.filter((person) => !isOnlyTold(person));
  if (people.length === 0 && all.length > 0) {
    return told(all);
  }
  const statuses = new Set<string>(people.map((person) => person.status.status));
  const status = ORDER.find((one) => statuses.has(one)) ?? SyncStatus.SYNCED;
  const pending = pendingOf(people);
  const last = newest(people);
  switch (status) {
    case SyncStatus.REALTIME:
      return live(last, nowMs);
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
      return idle(people, last?.atMs ?? null);
  }
}

/** Nobody is measured, and nothing is missing: what an application says stands as it said it. */
function told(people: readonly WatchedPerson[]): Standing {
  const at = clock(Math.max(...people.map((person) => toldOf(person)?.atMs ?? 0)));
  return {
    status: SyncStatus.SYNCED,
    detail: `given at ${at}`,
    spoken: `Up to date. As given by the application at ${at}.`,
    key: "",
  };
}

/** The server calls a silence by its name soon; until then this page claims no more than it has. */
const SILENCE = 2;

function live(last: Newest | null, nowMs: number | null): Standing {
  const status = SyncStatus.REALTIME;
  if (last === null || nowMs === null) {
    return { status, detail: "", spoken: "Live.", key: "" };
  }
  const ageMs = Math.max(0, nowMs - last.atMs);
  if (ageMs > last.freshForMs * SILENCE) {
    const silent = `silent for ${duration(ageMs)}`;
    return { status: SyncStatus.CONNECTING, detail: silent, spoken: NOT_KNOWN, key: "silent" };
  }
  return {
    status,
    detail: ago(ageMs),
    spoken: `Live. Last reading ${agoSpoken(ageMs)}.`,
    key: "",
  };
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

/** Several people share a bridge, and its readings are counted once. */
function pendingOf(people: readonly WatchedPerson[]): number {
  const bridges = new Map<string, number>();
  for (const { status } of people) {
    for (const bridge of status.hops.bridges ?? []) {
      bridges.set(`${bridge.name} ${bridge.sinceMs}`, bridge.pending);
    }
  }
  const own = people.map((person) => person.status.pending);
  return bridges.size === 0
    ? Math.max(0, ...own)
    : [...bridges.values()].reduce((sum, one) => sum + one, 0);
}

interface Newest {
  readonly atMs: number;
  readonly freshForMs: number;
}

function newest(people: readonly WatchedPerson[]): Newest | null {
  let found: Newest | null = null;
  for (const { metrics } of people) {
    for (const data of [metrics.heart_rate, metrics.steps]) {
      if (!isHeartRate(data) && !isSteps(data)) {
        continue;
      }
      const atMs = data.last?.atMs ?? 0;
      if (atMs > (found?.atMs ?? 0)) {
        found = { atMs, freshForMs: data.freshForMs };
      }
    }
  }
  return found;
}

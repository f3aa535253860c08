// People and readings for the tests of what is drawn from them.
import type { HeartRateData } from "@/protocol/messages";
import { heartRate, SERVER_TIME, status } from "@/services/__tests__/fake-server";
import { type ConnectionState, ConnectionStatus } from "@/services/events";
import type { WatchedPerson } from "@/services/feed";
import type { Point } from "@/services/lines";

export const NOW = SERVER_TIME;

export function point(atMs: number, value: number | null, extra: Partial<Point> = {}): Point {
  return {
    atMs,
    value,
    device: "d1",
    seq: atMs,
    quality: [],
    contact: null,
    receivedMs: atMs + 100,
    estimated: false,
    position: ["e1", 1],
    ...extra,
  };
}

/** One reading a second, from `fromMs` to before `toMs`, both relative to now. */
export function readings(fromMs: number, toMs: number, value = 70, extra: Partial<Point> = {}) {
  const made: Point[] = [];
  for (let atMs = NOW + fromMs; atMs < NOW + toMs; atMs += 1_000) {
    made.push(point(atMs, value, extra));
  }
  return made;
}

export function rate(ageMs: number, value = 72, extra: Partial<HeartRateData> = {}): HeartRateData {
  return heartRate({ current: value, last: { value, atMs: NOW - ageMs }, ...extra });
}

export function person(extra: Partial<WatchedPerson> = {}): WatchedPerson {
  return {
    user: "u1",
    name: "Maren Holt",
    metrics: { heart_rate: rate(500) },
    status: status(),
    statusAtMs: NOW,
    line: [],
    spells: [],
    ...extra,
  };
}

export function connection(extra: Partial<ConnectionState> = {}): ConnectionState {
  return {
    status: ConnectionStatus.CONNECTED,
    reason: null,
    lostAtMs: null,
    retryAtMs: null,
    simulated: false,
    mayMark: false,
    ...extra,
  };
}

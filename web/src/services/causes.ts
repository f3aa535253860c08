// Why readings are missing, from what the hops say: evidence with its time, never a guess.
import type { UserStatus } from "@/protocol/messages";

export enum Cause {
  NOT_WORN = "notWorn",
  OUT_OF_RANGE = "outOfRange",
  BRIDGE_OFFLINE = "bridgeOffline",
  NOT_STORING = "notStoring",
  SERVER_AWAY = "serverAway",
  SCREEN_OFFLINE = "screenOffline",
}

export interface Spell {
  readonly cause: Cause;
  readonly fromMs: number;
  /** Null while it lasts. */
  readonly toMs: number | null;
}

/** Enough for a hop that changes every few seconds of the five minutes that are shown. */
export const SPELLS_BOUND = 100;

/**
 * What stops a user's readings at this moment, nearest to the screen first. `device` is the one
 * that the readings come from; without it any device that is there counts.
 */
export function causeOf(status: UserStatus, device: string | null): Omit<Spell, "toMs"> | null {
  const { server, bridges = [], devices = [] } = status.hops;
  if (server.state === "notStoring") {
    return { cause: Cause.NOT_STORING, fromMs: server.sinceMs };
  }
  if (bridges.length > 0 && bridges.every((bridge) => bridge.state === "offline")) {
    return { cause: Cause.BRIDGE_OFFLINE, fromMs: latest(bridges) };
  }
  const own = devices.filter((hop) => hop.device === device);
  const asked = own.length > 0 ? own : devices;
  if (asked.length === 0 || asked.some((hop) => hop.state === "connected")) {
    return null;
  }
  const worn = asked.filter((hop) => hop.state !== "notWorn");
  return worn.length > 0
    ? { cause: Cause.OUT_OF_RANGE, fromMs: latest(worn) }
    : { cause: Cause.NOT_WORN, fromMs: latest(asked) };
}

function latest(hops: readonly { readonly sinceMs: number }[]): number {
  return Math.max(...hops.map((hop) => hop.sinceMs));
}

/** What was the cause when: one list for the way to this screen, one for each user. */
export class Causes {
  readonly #spells = new Map<string, readonly Spell[]>();
  #own: readonly Spell[] = [];

  /** All spells that touch this user's readings, the screen's own connection first. */
  of(user: string): readonly Spell[] {
    return [...this.#own, ...(this.#spells.get(user) ?? [])];
  }

  note(user: string, now: Omit<Spell, "toMs"> | null, atMs: number): void {
    this.#spells.set(user, next(this.#spells.get(user) ?? [], now, atMs));
  }

  noteOwn(now: Omit<Spell, "toMs"> | null, atMs: number): void {
    this.#own = next(this.#own, now, atMs);
  }

  forget(user: string): void {
    this.#spells.delete(user);
  }
}

function next(
  spells: readonly Spell[],
  now: Omit<Spell, "toMs"> | null,
  atMs: number,
): readonly Spell[] {
  const last = spells.at(-1);
  const open = last !== undefined && last.toMs === null ? last : null;
  if (open?.cause === now?.cause) {
    return spells;
  }
  const closed =
    open === null
      ? spells
      : [...spells.slice(0, -1), { ...open, toMs: Math.max(open.fromMs, now?.fromMs ?? atMs) }];
  return now === null ? closed : [...closed, { ...now, toMs: null }].slice(-SPELLS_BOUND);
}

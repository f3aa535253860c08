// Each user's state as the server last told it: immutable records, in fixed seats.
import type {
  HealthDataUpdate,
  HistoryChanged,
  SyncStatusUpdate,
  UserSnapshot,
  UserStatus,
} from "@/protocol/messages";

export type MetricData = HealthDataUpdate["data"];

export interface Person {
  readonly user: string;
  readonly name: string;
  readonly metrics: Readonly<Record<string, MetricData>>;
  readonly status: UserStatus;
  /** Server time of the status. */
  readonly statusAtMs: number;
}

export class People {
  #people: readonly Person[] = [];

  /** Seats by name at first; who comes later joins at the end, and everyone keeps the seat. */
  get all(): readonly Person[] {
    return this.#people;
  }

  of(user: string): Person | undefined {
    return this.#people.find((person) => person.user === user);
  }

  /** Who is not in the snapshot is no longer granted, and leaves. */
  snapshot(snapshots: Readonly<Record<string, UserSnapshot>>, serverTimeMs: number): void {
    const seated = this.#people.filter((person) => snapshots[person.user] !== undefined);
    const newcomers = Object.entries(snapshots)
      .filter(([user]) => this.of(user) === undefined)
      .map(([user, snapshot]) => toPerson(user, snapshot, {}, serverTimeMs))
      .sort((a, b) => a.name.localeCompare(b.name) || a.user.localeCompare(b.user));
    this.#people = [
      ...seated.map((person) => {
        const snapshot = snapshots[person.user];
        return snapshot === undefined
          ? person
          : toPerson(person.user, snapshot, person.metrics, serverTimeMs);
      }),
      ...newcomers,
    ];
  }

  apply(change: HealthDataUpdate | HistoryChanged): void {
    this.#replace(change.user, (person) => ({
      ...person,
      metrics: { ...person.metrics, [change.metric]: change.data },
    }));
  }

  applyStatus(update: SyncStatusUpdate): void {
    const { type: _type, user, serverTime, ...status } = update;
    this.#replace(user, (person) => ({ ...person, status, statusAtMs: serverTime }));
  }

  remove(users: readonly string[]): void {
    this.#people = this.#people.filter((person) => !users.includes(person.user));
  }

  #replace(user: string, change: (person: Person) => Person): void {
    this.#people = this.#people.map((person) => (person.user === user ? change(person) : person));
  }
}

function toPerson(
  user: string,
  snapshot: UserSnapshot,
  known: Person["metrics"],
  serverTimeMs: number,
): Person {
  return {
    user,
    name: snapshot.name === "" ? user : snapshot.name,
    metrics: snapshot.state ?? (snapshot.reset ? {} : known),
    status: snapshot.status,
    statusAtMs: serverTimeMs,
  };
}

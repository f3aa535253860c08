// What is known of the people this page watches, kept across connections.
import type { HealthDataUpdate, HistoryChanged, Subscribed } from "@/protocol/messages";
import { type Cause, Causes, causeOf, type Spell } from "./causes";
import { type Line, Lines } from "./lines";
import { People, type Person } from "./people";
import { type Position, Positions } from "./positions";
import type { News } from "./session";
import type { Stretch } from "./stretches";

/** A person with the last minutes of heart rate and what stood in its way. */
export interface WatchedPerson extends Person {
  readonly line: Line;
  readonly spells: readonly Spell[];
}

export interface FeedHost {
  /** Something about this user is new. `news` is null where a snapshot told it. */
  told(person: WatchedPerson, news: News | null): void;
  changed(news: News): void;
  /** This user is no longer granted: nothing of them stays. */
  left(user: string): void;
  /** A change is missing: subscribe from where each user stands. */
  resubscribe(): void;
  /** A grant came: nothing of theirs is sent before they are subscribed to. */
  added(): void;
  /** This stretch of a user's line is not here, or not as of this position. Null: the whole line. */
  missing(user: string, stretch: Stretch | null, position: Position): void;
  /** At most one update in a while was asked for, so that a jump is no gap. */
  thinned(): boolean;
}

const LINE_METRIC = "heart_rate";

export class Feed {
  readonly #people = new People();
  readonly #positions = new Positions();
  readonly #lines: Lines;
  readonly #causes = new Causes();
  readonly #watched = new Map<string, WatchedPerson>();
  /** Where a gap was found last, so that a second one at the same place starts afresh. */
  readonly #gaps = new Map<string, string>();

  constructor(
    private readonly host: FeedHost,
    lineMs: number,
  ) {
    this.#lines = new Lines(lineMs);
  }

  get watched(): readonly WatchedPerson[] {
    return this.#people.all.map((person) => this.#watch(person));
  }

  since(): Record<string, Position> {
    return this.#positions.since();
  }

  subscribed(message: Subscribed): void {
    const before = new Set(this.#people.all.map((person) => person.user));
    this.#people.snapshot(message.snapshot, message.serverTime);
    for (const user of before) {
      if (this.#people.of(user) === undefined) {
        this.#forget(user);
      }
    }
    for (const person of this.#people.all) {
      const snapshot = message.snapshot[person.user];
      if (snapshot?.reset === true) {
        this.#positions.begin(person.user, snapshot.position);
        this.host.missing(person.user, null, snapshot.position);
      } else {
        this.#positions.resume(person.user);
      }
      this.#noteCause(person, message.serverTime);
      this.host.told(this.#watch(person), null);
    }
  }

  news(news: News): void {
    switch (news.type) {
      case "HEALTH_DATA_UPDATE":
      case "HISTORY_CHANGED":
        this.#change(news);
        break;
      case "SYNC_STATUS_UPDATE":
        this.#people.applyStatus(news);
        this.#tell(news.user, news, news.serverTime);
        break;
      case "SUBSCRIPTION_CHANGED":
        this.#people.remove(news.removed);
        for (const user of news.removed) {
          this.#forget(user);
        }
        this.host.changed(news);
        if (news.added.length > 0) {
          this.host.added();
        }
        break;
    }
  }

  /** The screen's own way to the server broke, or (null) is whole again. */
  own(cause: Cause | null, atMs: number): void {
    this.#causes.noteOwn(cause === null ? null : { cause, fromMs: atMs }, atMs);
    this.#watched.clear();
  }

  history(
    user: string,
    stretch: Stretch,
    series: HealthDataUpdate["series"][],
    at: Position,
  ): void {
    if (this.#people.of(user) !== undefined) {
      this.#lines.replace(user, stretch, series, at);
      this.#watched.delete(user);
    }
  }

  forgetAll(): void {
    for (const person of this.#people.all) {
      this.#forget(person.user);
    }
    this.#people.snapshot({}, 0);
  }

  #change(news: HealthDataUpdate | HistoryChanged): void {
    const leftSome = news.type === "HEALTH_DATA_UPDATE" && (news.conflated ?? 0) > 0;
    const conflated = leftSome || this.host.thinned();
    const verdict = this.#positions.judge({ ...news, conflated });
    if (verdict === "gap") {
      this.#gap(news.user, news.metric);
      return;
    }
    if (verdict !== "next") {
      return;
    }
    this.#people.apply(news);
    if (news.metric === LINE_METRIC) {
      this.#draw(news);
    }
    this.#tell(news.user, news, news.serverTime);
  }

  /** What cannot be followed up, because it was found missing here before, is asked for whole. */
  #gap(user: string, metric: string): void {
    const place = `${metric} ${this.#positions.since()[user]?.join(" ")}`;
    if (this.#gaps.get(user) === place) {
      this.#positions.forget(user);
    }
    this.#gaps.set(user, place);
    this.host.resubscribe();
  }

  #draw(news: HealthDataUpdate | HistoryChanged): void {
    const { user, position } = news;
    if (news.type === "HISTORY_CHANGED") {
      this.host.missing(user, news, position);
      return;
    }
    if ((news.conflated ?? 0) > 0) {
      this.host.missing(user, leftOut(this.#lines.of(user), news), position);
    }
    this.#lines.add(news);
  }

  #tell(user: string, news: News, serverTimeMs: number): void {
    const person = this.#people.of(user);
    if (person !== undefined) {
      this.#noteCause(person, serverTimeMs);
      this.host.told(this.#watch(person), news);
    }
  }

  #noteCause(person: Person, serverTimeMs: number): void {
    const device = this.#lines.of(person.user).at(-1)?.device ?? null;
    this.#causes.note(person.user, causeOf(person.status, device), serverTimeMs);
    this.#watched.delete(person.user);
  }

  #watch(person: Person): WatchedPerson {
    let watched = this.#watched.get(person.user);
    if (watched === undefined) {
      watched = {
        ...person,
        line: this.#lines.of(person.user),
        spells: this.#causes.of(person.user),
      };
      this.#watched.set(person.user, watched);
    }
    return watched;
  }

  #forget(user: string): void {
    this.#positions.forget(user);
    this.#lines.forget(user);
    this.#causes.forget(user);
    this.#watched.delete(user);
    this.#gaps.delete(user);
    this.host.left(user);
  }
}

/**
 * Where the readings of updates that were left out are: between the newest that is here and this
 * one. Before one that is not the newest, they may be anywhere.
 */
function leftOut(line: Line, update: HealthDataUpdate): Stretch | null {
  const heldMs = line.at(-1)?.atMs ?? null;
  const firstMs = update.series.atMs[0] ?? 0;
  return heldMs === null || firstMs <= heldMs ? null : { fromMs: heldMs + 1, toMs: firstMs };
}

// Where this page stands in each user's changes: what is new, what is a repeat, what is missing.

/** Place in a user's changes: `n` is compared only within one epoch of the store. */
export type Position = readonly [epoch: string, n: number];

/** `waiting`: of a metric whose missing changes are asked for already. */
export type Verdict = "next" | "repeat" | "gap" | "waiting";

export interface Change {
  readonly user: string;
  readonly metric: string;
  readonly position: Position;
  /** The change before this one of the same user and metric. */
  readonly previous: Position | null;
  /** A slow or thinned subscription: a jump is on purpose. */
  readonly conflated: boolean;
}

interface Held {
  /** Where the snapshot stood: what every metric holds that has not changed since. */
  base: Position;
  last: Position;
  readonly metrics: Map<string, Position>;
  /** Metrics of which a change is missing, with the position to resume from. */
  readonly missing: Map<string, Position>;
}

export class Positions {
  readonly #users = new Map<string, Held>();

  /** A snapshot or a reset: all that came before no longer counts. */
  begin(user: string, position: Position): void {
    this.#users.set(user, {
      base: position,
      last: position,
      metrics: new Map(),
      missing: new Map(),
    });
  }

  /** The server follows up from where this page stands: what was missing comes again. */
  resume(user: string): void {
    const held = this.#users.get(user);
    if (held !== undefined) {
      // Until what was missing has come, here is where to go on from.
      held.last = earliest(held);
      held.missing.clear();
    }
  }

  forget(user: string): void {
    this.#users.delete(user);
  }

  judge(change: Change): Verdict {
    const held = this.#users.get(change.user);
    if (held === undefined) {
      return "repeat";
    }
    const own = held.metrics.get(change.metric) ?? held.base;
    if (held.missing.has(change.metric)) {
      return "waiting";
    }
    if (!isLater(change.position, own)) {
      // Of the metric it is old; of the user it may be the last of those that come again.
      held.last = change.position;
      return "repeat";
    }
    const jumps = change.previous !== null && isLater(change.previous, own);
    if (change.position[0] !== own[0] || (jumps && !change.conflated)) {
      held.missing.set(change.metric, own);
      return "gap";
    }
    held.metrics.set(change.metric, change.position);
    held.last = change.position;
    return "next";
  }

  /** For `SUBSCRIBE`: each user's last received, or the earliest held where one is missing. */
  since(): Record<string, Position> {
    const since: Record<string, Position> = {};
    for (const [user, held] of this.#users) {
      since[user] = earliest(held);
    }
    return since;
  }
}

function earliest(held: Held): Position {
  let from = held.last;
  for (const position of held.missing.values()) {
    if (isLater(from, position)) {
      from = position;
    }
  }
  return from;
}

/** Another epoch is another history: anything of it is news, and the server will say reset. */
export function isLater(a: Position, b: Position): boolean {
  return a[0] !== b[0] || a[1] > b[1];
}

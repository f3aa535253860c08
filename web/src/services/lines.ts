// The recent readings of each user's heart rate: what the five-minute line is drawn from.
import type { HealthDataUpdate, TimedSeries } from "@/protocol/messages";
import type { Position } from "./positions";
import type { Stretch } from "./stretches";

export interface Point {
  readonly atMs: number;
  /** bpm; null where the device said nothing. */
  readonly value: number | null;
  readonly device: string;
  /** Its number in its stream. */
  readonly seq: number;
  /** Marks of the bridge and of the server. */
  readonly quality: readonly string[];
  readonly contact: boolean | null;
  /** When the server had it. */
  readonly receivedMs: number;
  /** Its time is an estimate. */
  readonly estimated: boolean;
  readonly position: Position;
}

export type Line = readonly Point[];

/** More than a strap sends in ten minutes at four a second; a faster one keeps its newest. */
export const LINE_BOUND = 3_000;

const NOTHING: Line = [];

export class Lines {
  readonly #lines = new Map<string, Line>();
  #dropped = 0;

  constructor(private readonly spanMs: number) {}

  /** Readings that the bound pushed out while they were still within the span. */
  get dropped(): number {
    return this.#dropped;
  }

  of(user: string): Line {
    return this.#lines.get(user) ?? NOTHING;
  }

  add(update: HealthDataUpdate): void {
    this.#merge(update.user, this.of(update.user), points(update.series, update.position));
  }

  /**
   * History read at `position` replaces what was known of that stretch up to that position:
   * readings that came later than it was read stay.
   */
  replace(
    user: string,
    stretch: Stretch,
    series: readonly TimedSeries[],
    position: Position,
  ): void {
    const kept = this.of(user).filter(
      (point) =>
        point.atMs < stretch.fromMs ||
        point.atMs >= stretch.toMs ||
        (point.position[0] === position[0] && point.position[1] > position[1]),
    );
    this.#merge(
      user,
      kept,
      series.flatMap((one) => points(one, position)),
    );
  }

  forget(user: string): void {
    this.#lines.delete(user);
  }

  #merge(user: string, old: Line, fresh: readonly Point[]): void {
    const byIdentity = new Map(old.map((point) => [identity(point), point]));
    for (const point of fresh) {
      byIdentity.set(identity(point), point);
    }
    const all = [...byIdentity.values()].sort((a, b) => a.atMs - b.atMs);
    const newestMs = all.at(-1)?.atMs ?? 0;
    const first = all.findIndex((point) => point.atMs > newestMs - this.spanMs);
    // The last one before it stays: where a gap that reaches into the span began.
    const within = all.slice(Math.max(0, first - 1));
    this.#dropped += Math.max(0, within.length - LINE_BOUND);
    this.#lines.set(user, within.slice(-LINE_BOUND));
  }
}

/** Only a stream gives a number once; history does not name it, but tells the moment. */
function identity(point: Point): string {
  return `${point.device} ${point.seq} ${point.atMs}`;
}

export function points(series: TimedSeries, position: Position): Point[] {
  let atMs = 0;
  let seq = 0;
  return series.atMs.map((difference, index) => {
    atMs += difference;
    seq += series.seq[index] ?? 1;
    return {
      atMs,
      value: series.value[index] ?? null,
      device: series.device,
      seq,
      quality: [...(series.quality?.[index] ?? []), ...(series.serverMarks?.[index] ?? [])],
      contact: series.contact?.[index] ?? null,
      receivedMs: series.receivedMs,
      estimated: series.timeSource === "estimate",
      position,
    };
  });
}

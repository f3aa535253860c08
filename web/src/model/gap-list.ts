// The gaps of a stretch as a list: silences, of what causes each consists, and how long in all.
import type { Gap } from "@/protocol/messages";
import type { Ledger } from "@/services/gaps";
import { missingOf, type Stretch, within } from "@/services/stretches";
import { Told, type Why, whyLong, whyOf, whyWords } from "./why";
import { clock, clockWithSeconds, count, duration, readings, shortDay } from "./words";

/** Between two readings: of one cause, or of several, one after the other. */
export interface Silence extends Stretch {
  readonly pieces: readonly Gap[];
  /** Its beginning is known; else it began before. */
  readonly begins: boolean;
  /** Its end is known; else it goes on, or beyond what was asked. */
  readonly ends: boolean;
}

/** Those that touch it, each whole, the newest last. */
export function silencesOf({ gaps, known }: Ledger, stretch: Stretch): Silence[] {
  const found: Silence[] = [];
  for (const gap of gaps) {
    const last = found.at(-1);
    const { fromMs, toMs } = gap;
    const ends = gap.lasts !== true;
    if (last?.toMs === fromMs) {
      found[found.length - 1] = { ...last, toMs, pieces: [...last.pieces, gap], ends };
    } else {
      const begins = !known.some((one) => one.fromMs === fromMs);
      found.push({ fromMs, toMs, pieces: [gap], begins, ends });
    }
  }
  return found.filter((silence) => within([silence], stretch).length > 0);
}

/** Where the running end is asked for again now and then, the rest of it is no ignorance. */
const RUNNING_MS = 60_000;

/** Whether all of it is accounted for, but for what has just begun. */
export function isAccounted({ known }: Ledger, { fromMs, toMs }: Stretch, nowMs: number): boolean {
  const untilMs = Math.min(toMs, nowMs - RUNNING_MS);
  return untilMs <= fromMs || missingOf({ fromMs, toMs: untilMs }, known).length === 0;
}

export interface Missed {
  readonly gaps: number;
  readonly missingMs: number;
}

/** Within the stretch alone. What is still coming is not missing. */
export function missedOf(silences: readonly Silence[], stretch: Stretch): Missed {
  const lost = silences.flatMap(({ pieces }) => {
    const parts = within(pieces, stretch).filter((piece) => whyOf(piece) !== Told.PENDING);
    return parts.length === 0 ? [] : [sum(parts)];
  });
  return { gaps: lost.length, missingMs: lost.reduce((all, one) => all + one, 0) };
}

function sum(stretches: readonly Stretch[]): number {
  return stretches.reduce((all, { fromMs, toMs }) => all + toMs - fromMs, 0);
}

/**
 * "3 gaps, 14 min: 9 min bridge off; 5 min not worn; and 20 s still coming". The longest cause
 * first; what is still coming is no gap yet.
 */
export function gapsWords(silences: readonly Silence[], stretch: Stretch): string {
  const { gaps, missingMs } = missedOf(silences, stretch);
  const pieces = within(
    silences.flatMap((silence) => silence.pieces),
    stretch,
  );
  const byCause = new Map<Why, number>();
  for (const piece of pieces) {
    const why = whyOf(piece);
    byCause.set(why, (byCause.get(why) ?? 0) + piece.toMs - piece.fromMs);
  }
  const coming = byCause.get(Told.PENDING) ?? 0;
  byCause.delete(Told.PENDING);
  const comes = `${duration(coming)} ${whyWords(Told.PENDING)}`;
  if (gaps === 0) {
    return coming === 0 ? "No gap" : `No gap, and ${comes}`;
  }
  const head = `${count(gaps)} ${gaps === 1 ? "gap" : "gaps"}, ${duration(missingMs)}`;
  const causes = [...byCause]
    .sort(([, one], [, other]) => other - one)
    .map(([why, ms]) => (byCause.size === 1 ? whyWords(why) : `${duration(ms)} ${whyWords(why)}`));
  return `${head}: ${[...causes, ...(coming === 0 ? [] : [`and ${comes}`])].join("; ")}`;
}

/** Whether it goes on at this moment, as far as that is known. */
export function isOpen({ toMs, ends }: Silence, nowMs: number): boolean {
  return !ends && nowMs - toMs < 2 * RUNNING_MS;
}

/**
 * "10:02:11 to 10:09:32", with its day where that is not today's; "since 10:02:11" of one that
 * goes on. An end that is not known is left out: "until 10:09:32", "from 10:02:11 on".
 */
export function whenWords(silence: Silence, nowMs: number): string {
  const { fromMs, toMs, begins, ends } = silence;
  const from = moment(fromMs, nowMs);
  if (isOpen(silence, nowMs)) {
    return begins ? `since ${from}` : `since before ${from}`;
  }
  if (!begins) {
    return ends ? `until ${moment(toMs, nowMs)}` : `all of ${from} to ${moment(toMs, fromMs)}`;
  }
  return ends ? `${from} to ${moment(toMs, fromMs)}` : `from ${from} on`;
}

/** Without its day where that is the other moment's too. */
function moment(atMs: number, besideMs: number): string {
  const day = shortDay(atMs) === shortDay(besideMs) ? "" : `${shortDay(atMs)}, `;
  return `${day}${clockWithSeconds(atMs)}`;
}

/** "7 min 21 s"; where an end of it is not known, at least so long. */
export function lengthWords(silence: Silence, nowMs: number): string {
  const { fromMs, toMs, begins, ends } = silence;
  const open = isOpen(silence, nowMs);
  const words = duration((open ? nowMs : toMs) - fromMs);
  return begins && (ends || open) ? words : `over ${words}`;
}

/** "silent: off, asleep or out of range"; of one that has several causes, how long each was. */
export function pieceWords(piece: Gap, alone: boolean): string {
  const lost = piece.count ?? 0;
  const of = lost === 0 ? "" : `, ${readings(lost)}`;
  const length = alone ? "" : `, ${duration(piece.toMs - piece.fromMs)}`;
  return `${whyLong(whyOf(piece))}${of}${length}`;
}

/** "Tue 14 Oct, 08:00": how far back a list goes. */
export function reachWords(fromMs: number, nowMs: number): string {
  const day = shortDay(fromMs) === shortDay(nowMs) ? "" : `${shortDay(fromMs)}, `;
  return `${day}${clock(fromMs)}`;
}

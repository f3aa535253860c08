// The sheet in sentences: for those who hear it, and where a label does not fit.
import type { Stretch } from "@/services/stretches";
import { type Filled, type Gap, SHEET_MS, type Sheet } from "./sheet";
import { whyLong, whyWords } from "./why";
import { clock, clockWithSeconds, duration } from "./words";

/** "Maren Holt, heart rate of the last five minutes, 133 to 147, now 146; …". */
export function describeSheet(sheet: Sheet, name: string): string {
  const parts: string[] = [];
  if (sheet.least === null || sheet.most === null) {
    parts.push(`${name}, heart rate of the last five minutes: nothing measured`);
  } else {
    const open = sheet.gaps.find((gap) => gap.open);
    const range = `${Math.round(sheet.least)} to ${Math.round(sheet.most)}`;
    const now =
      open === undefined && sheet.last !== null ? `, now ${Math.round(sheet.last.bpm)}` : "";
    parts.push(`${name}, heart rate of the last five minutes, ${range}${now}`);
    if (open !== undefined) {
      parts.push(`nothing since ${clock(beginOf(sheet.gaps, open))}, ${whyLong(open.why)}`);
    }
  }
  for (const gap of sheet.gaps.filter(({ open }) => !open)) {
    parts.push(`${gapLength(gap)} missing, ${whyLong(gap.why)}`);
  }
  for (const filled of sheet.filled) {
    parts.push(`${duration(filled.toMs - filled.fromMs)} filled in later`);
  }
  return parts.join("; ");
}

/** Of the hole that this is the end of, whatever causes it had before. */
function beginOf(gaps: readonly Gap[], last: Gap): number {
  return gaps.reduceRight(
    (beginMs, gap) => (gap.toMs === beginMs ? gap.sinceMs : beginMs),
    last.sinceMs,
  );
}

/** "silent: off, asleep or out of range, 2 min 32 s"; in few words: "silent, 2 min 32 s". */
export function gapLabel(gap: Pick<Gap, "why" | "lengthMs">, few = false): string {
  const why = few ? whyWords(gap.why) : whyLong(gap.why);
  return gap.lengthMs === null ? why : `${why}, ${duration(gap.lengthMs)}`;
}

/**
 * What of its label has room in a gap that is so many pixels wide, in lines; null: nothing. All of
 * it comes before few words, and one line before several.
 */
export function gapPlate(gap: Pick<Gap, "why" | "lengthMs">, widthPx: number): string | null {
  const labels = [gapLabel(gap), gapLabel(gap, true)].map(bound);
  return labels.find((label) => linesOf(label, widthPx) <= MOST_LINES) ?? null;
}

/** "radio lost: strap heard, no link, 38 s, from 14:01:48": all that is to be said of it. */
export function gapWhole(gap: Gap): string {
  return `${gapLabel(gap)}, ${gap.open ? "since" : "from"} ${clockWithSeconds(gap.sinceMs)}`;
}

/** Its own length, however little of it is still on the sheet. */
function gapLength(gap: Gap): string {
  return duration(gap.lengthMs ?? gap.toMs - gap.sinceMs);
}

/** "filled in at 14:04:41". */
export function filledLabel(filled: Filled): string {
  return `filled in at ${clockWithSeconds(filled.atMs)}`;
}

/** A character of the label's type at its widest, and what its plate adds. */
const CHARACTER_PX = 6.4;
const PLATE_PX = 16;

/** A number and its unit stay on one line. */
function bound(label: string): string {
  return label.replace(/(\d) (?=\p{L})/gu, "$1\u00a0");
}

/** A plate that is higher would cover the line beside it. */
const MOST_LINES = 3;

/** How many lines it takes; too many where one of its words does not fit. */
function linesOf(label: string, widthPx: number): number {
  const most = Math.floor((widthPx - PLATE_PX) / CHARACTER_PX);
  let lines = 1;
  let length = -1;
  for (const word of label.split(" ")) {
    if (word.length > most) {
      return Number.POSITIVE_INFINITY;
    }
    length += 1 + word.length;
    if (length > most) {
      lines += 1;
      length = word.length;
    }
  }
  return lines;
}

/** How wide a stretch is on a sheet of this width. */
function widthOn(stretch: Stretch, sheetPx: number): number {
  return ((stretch.toMs - stretch.fromMs) / SHEET_MS) * sheetPx;
}

/** The plate of a gap on a sheet of this width. */
export function plateOn(gap: Gap, sheetPx: number): string | null {
  return gapPlate(gap, widthOn(gap, sheetPx));
}

/** Whether a label stands within its stretch of a sheet of this width, in one line. */
export function fits(label: string, stretch: Stretch, sheetPx: number): boolean {
  return label.length * CHARACTER_PX + PLATE_PX <= widthOn(stretch, sheetPx);
}

/** ": not worn", or ", silent: off, asleep or out of range". */
function because({ why }: Gap): string {
  const words = whyLong(why);
  return words.includes(":") ? `, ${words}` : `: ${words}`;
}

const MOST_SENTENCES = 3;

/**
 * "Gap of 38 s at 14:02: strap out of range. 58 s filled in at 14:04:41.": the newest few whose label a
 * sheet of this width has no room for.
 */
export function sheetNote(sheet: Sheet, sheetPx: number): string {
  const gaps = sheet.gaps
    .filter((gap) => !gap.open && plateOn(gap, sheetPx) === null)
    .map((gap) => `Gap of ${gapLength(gap)} at ${clock(gap.sinceMs)}${because(gap)}.`);
  const filled = sheet.filled
    .filter((stretch) => !fits(filledLabel(stretch), stretch, sheetPx))
    .map((stretch) => `${duration(stretch.toMs - stretch.fromMs)} ${filledLabel(stretch)}.`);
  return [...gaps.slice(-MOST_SENTENCES), ...filled.slice(-MOST_SENTENCES)].join(" ");
}

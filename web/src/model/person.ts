// What a person's channel shows beside the rate: the day, steps, each wearable.
import type { HeartRateData, Session } from "@/protocol/messages";
import { causeOf } from "@/services/causes";
import type { WatchedPerson } from "@/services/feed";
import { type Ledger, NO_LEDGER } from "@/services/gaps";
import {
  isBattery,
  isHeartRate,
  isSession,
  isSteps,
  isSummary,
  summaryFields,
} from "@/services/health-data";
import { explain } from "./explain";
import { type Because, becauseNow, ownLoss, refusal } from "./missing";
import { type RateView, rateView } from "./rate";
import { clock, count, duration } from "./words";

export function heartRateOf(person: WatchedPerson): HeartRateData | null {
  const data = person.metrics.heart_rate;
  return isHeartRate(data) ? data : null;
}

/**
 * A device that speaks only on change holds its value while its whole way here is known to be
 * open; `connected` is this page's own part of it.
 */
export function rateOf(person: WatchedPerson, nowMs: number | null, connected: boolean): RateView {
  const device = person.line.at(-1)?.device ?? null;
  const hops = person.status.hops.devices ?? [];
  const open = connected && hops.length > 0 && causeOf(person.status, device) === null;
  return rateView(heartRateOf(person), person.line, nowMs, open);
}

/** Why this person has no rate now; null where it has one, or nothing is known. */
export function becauseNone(
  person: WatchedPerson,
  rate: RateView,
  nowMs: number | null,
  ledger: Ledger = NO_LEDGER,
): Because | null {
  if (rate.bpm !== null) {
    return null;
  }
  const lost = ownLoss(person.spells);
  if (lost !== null) {
    return lost;
  }
  const { spells, line } = person;
  if (rate.was === null || nowMs === null) {
    return becauseNow(spells, line.at(-1));
  }
  const refused = line.filter((point) => refusal(point) !== null);
  const hole = { fromMs: rate.was.atMs, toMs: nowMs, open: true };
  const pieces = explain(hole, { ledger, refused, spells, coarse: false }, 0);
  return pieces.at(-1) ?? null;
}

/** The session that runs; null where none does. */
export function sessionOf(person: WatchedPerson): Session | null {
  const data = person.metrics.session;
  return isSession(data) ? data.session : null;
}

/** "Intervals, 44 min"; null where no session runs. */
export function sessionLine(person: WatchedPerson, nowMs: number | null): string | null {
  const session = sessionOf(person);
  if (session === null) {
    return null;
  }
  const name = session.name === "" ? "Session" : session.name;
  return nowMs === null ? name : `${name}, ${inMinutes(nowMs - session.startMs)}`;
}

function inMinutes(durationMs: number): string {
  return durationMs < 60_000 ? "just begun" : duration(Math.floor(durationMs / 60_000) * 60_000);
}

/**
 * "Average 72 today, 54 to 131"; null after the day's end, or before its first reading. An average
 * that only a host application has said is told as such.
 */
export function dayLine(person: WatchedPerson, nowMs: number | null): string | null {
  const data = heartRateOf(person);
  if (data === null || data.average === null || data.min === null || data.max === null) {
    return saidLine(person);
  }
  if (nowMs === null || nowMs >= data.dayEndsMs) {
    return null;
  }
  const range = `${Math.round(data.min)} to ${Math.round(data.max)}`;
  return `Average ${Math.round(data.average)} ${data.over === "day" ? "today" : "so far"}, ${range}`;
}

const AS_GIVEN = "as given by the application";

function saidLine(person: WatchedPerson): string | null {
  const said = summaryFields(person).heartRate;
  const average = said !== null && typeof said === "object" && "average" in said && said.average;
  return typeof average === "number" ? `Average ${Math.round(average)}, ${AS_GIVEN}` : null;
}

export interface StepsView {
  /** "4,127", or the dash. */
  readonly figure: string;
  readonly note: string | null;
}

/** A day that has ended says nothing of the new one. */
export function stepsView(person: WatchedPerson, nowMs: number | null): StepsView {
  const data = person.metrics.steps;
  if (!isSteps(data) || data.today === null) {
    return stepsSaid(person) ?? { figure: "—", note: "Not measured yet" };
  }
  return nowMs === null || nowMs >= data.dayEndsMs
    ? { figure: "—", note: "A new day has begun" }
    : { figure: count(data.today), note: null };
}

function stepsSaid(person: WatchedPerson): StepsView | null {
  const { summary } = person.metrics;
  const { steps } = summaryFields(person);
  return isSummary(summary) && typeof steps === "number"
    ? { figure: count(steps), note: `${AS_GIVEN}, ${clock(summary.atMs)}` }
    : null;
}

export interface WearableView {
  readonly device: string;
  readonly name: string;
  /** "82 %, good contact", "31 % at 14:02". */
  readonly text: string;
}

export function wearables(person: WatchedPerson, connected: boolean): WearableView[] {
  const battery = person.metrics.battery;
  const levels = isBattery(battery) ? battery.devices : [];
  return (person.status.hops.devices ?? []).map((hop) => {
    const level = levels.find(({ device }) => device === hop.device);
    const value = level?.value ?? hop.battery ?? null;
    const present = connected && hop.state !== "searching";
    const percent = value === null ? "battery not known" : `${Math.round(value)} %`;
    const held = !present && value !== null && level !== undefined;
    const at = held ? ` at ${clock(level.atMs)}` : "";
    const contact = present ? contactOf(person, hop.device, hop.state === "notWorn") : "";
    return { device: hop.device, name: hop.name || "Strap", text: `${percent}${at}${contact}` };
  });
}

function contactOf(person: WatchedPerson, device: string, notWorn: boolean): string {
  if (notWorn) {
    return ", not worn";
  }
  const contact = person.line.findLast((point) => point.device === device)?.contact ?? null;
  return contact === null ? "" : contact ? ", good contact" : ", no contact";
}

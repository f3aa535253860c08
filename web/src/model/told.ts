// What a host application has said of a person, in words: shown as given, with its time.
import type { WatchedPerson } from "@/services/feed";
import { isHeartRate, isSteps, isSummary } from "@/services/health-data";
import { count } from "./words";

export interface Told {
  readonly atMs: number;
  readonly fields: readonly ToldField[];
}

export interface ToldField {
  readonly name: string;
  readonly text: string;
}

const MOST_FIELDS = 12;
const LONGEST = 48;
const DECIMALS = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });

/** Null where no application has said anything. */
export function toldOf(person: WatchedPerson): Told | null {
  const { summary } = person.metrics;
  if (!isSummary(summary)) {
    return null;
  }
  const fields = Object.entries(summary.summary).flatMap(([name, value]) => fieldsOf(name, value));
  return { atMs: summary.atMs, fields: fields.slice(0, MOST_FIELDS) };
}

/** An application tells of this person and nothing measures: no strap is missing. */
export function isOnlyTold({ metrics, status }: WatchedPerson): boolean {
  const { heart_rate: rate, steps } = metrics;
  const measured =
    (isHeartRate(rate) && rate.last !== null) || (isSteps(steps) && steps.last !== null);
  const { devices = [], bridges = [] } = status.hops;
  const reached = devices.length > 0 || bridges.some(({ state }) => state === "online");
  return isSummary(metrics.summary) && !measured && !reached;
}

/** One field, or of a group of fields each. */
function fieldsOf(name: string, value: unknown): ToldField[] {
  const words = wordsOf(name);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([part, inner]) => {
      const text = textOf(inner);
      return text === null
        ? []
        : [{ name: short(`${words}, ${wordsOf(part).toLowerCase()}`), text }];
    });
  }
  const text = textOf(value);
  return text === null ? [] : [{ name: short(words), text }];
}

/** Null where there is nothing to say. */
function textOf(value: unknown): string | null {
  switch (typeof value) {
    case "number":
      return Math.abs(value) < 1_000 ? DECIMALS.format(value) : count(value);
    case "boolean":
      return value ? "yes" : "no";
    case "string":
      return value.trim() === "" ? null : short(value.trim());
    default:
      return value === null || value === undefined ? null : short(JSON.stringify(value));
  }
}

function short(text: string): string {
  const characters = [...text];
  return characters.length <= LONGEST ? text : `${characters.slice(0, LONGEST - 1).join("")}…`;
}

/** "heartRate" and "heart_rate" are "Heart rate". */
function wordsOf(name: string): string {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/[_-]+/g, " ")
    .trim()
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

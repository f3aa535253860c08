// A user's whole state in the original service's form: {steps, heartRate: {average, …}, …}.
import type {
  BatteryData,
  HeartRateData,
  MarkData,
  SessionData,
  StepsData,
  SummaryData,
  ValueData,
} from "@/protocol/messages";
import type { MetricData, Person } from "./people";

/** What was measured; where that is null, what a host application has said of the field. */
export type HeartRateHealth = Partial<HeartRateData> & { readonly [field: string]: unknown };

export interface HealthData {
  /** Today's, so far. */
  readonly steps: number | null;
  readonly heartRate: HeartRateHealth | null;
  /** Percent: of the device that said it last. */
  readonly battery: number | null;
  readonly batteries: BatteryData["devices"];
  /** Any other metric, by its name. */
  readonly [metric: string]: unknown;
}

export function isHeartRate(data: MetricData | undefined): data is HeartRateData {
  return data !== undefined && "over" in data;
}

export function isSteps(data: MetricData | undefined): data is StepsData {
  return data !== undefined && "today" in data;
}

export function isBattery(data: MetricData | undefined): data is BatteryData {
  return data !== undefined && "devices" in data;
}

export function isSession(data: MetricData | undefined): data is SessionData {
  return data !== undefined && "session" in data;
}

export function isMark(data: MetricData | undefined): data is MarkData {
  return data !== undefined && "mark" in data;
}

export function isSummary(data: MetricData | undefined): data is SummaryData {
  return data !== undefined && "summary" in data;
}

/** What a host application has said; nothing where it has not. */
export function summaryFields(person: Person): Readonly<Record<string, unknown>> {
  const { summary } = person.metrics;
  return isSummary(summary) ? summary.summary : {};
}

const NAMED = new Set(["heart_rate", "steps", "battery"]);
/** The present is measured or it is not: what was said of it once is not now. */
const PRESENT = new Set(["current", "last"]);

export function healthData(person: Person): HealthData {
  const { heart_rate: heartRate, steps, battery } = person.metrics;
  const others: Record<string, ValueData | MetricData> = {};
  for (const [metric, data] of Object.entries(person.metrics)) {
    if (!NAMED.has(metric)) {
      others[metric] = data;
    }
  }
  const batteries = isBattery(battery) ? battery.devices : [];
  const newest = batteries.reduce<(typeof batteries)[number] | null>(
    (found, level) => (found === null || level.atMs > found.atMs ? level : found),
    null,
  );
  const said = summaryFields(person);
  return {
    ...said,
    ...others,
    steps: (isSteps(steps) ? steps.today : null) ?? numberOf(said.steps),
    heartRate: heartRateOf(isHeartRate(heartRate) ? heartRate : null, said.heartRate),
    battery: newest?.value ?? numberOf(said.battery),
    batteries,
  };
}

function heartRateOf(measured: HeartRateData | null, said: unknown): HeartRateHealth | null {
  if (typeof said !== "object" || said === null || Array.isArray(said)) {
    return measured === null ? null : { ...measured };
  }
  const whole: Record<string, unknown> = { ...measured };
  for (const [field, value] of Object.entries(said)) {
    if (measured === null || !PRESENT.has(field)) {
      whole[field] ??= value;
    }
  }
  return whole;
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

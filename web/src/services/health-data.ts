// A user's whole state in the original service's form: {steps, heartRate: {average, …}, …}.
import type { BatteryData, HeartRateData, StepsData, ValueData } from "@/protocol/messages";
import type { MetricData, Person } from "./people";

export interface HealthData {
  /** Today's, so far. */
  readonly steps: number | null;
  readonly heartRate: HeartRateData | null;
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

const NAMED = new Set(["heart_rate", "steps", "battery"]);

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
  return {
    ...others,
    steps: isSteps(steps) ? steps.today : null,
    heartRate: isHeartRate(heartRate) ? heartRate : null,
    battery: newest?.value ?? null,
    batteries,
  };
}

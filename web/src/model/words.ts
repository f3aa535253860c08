// Numbers, ages and times as people read and hear them.

const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const TIME_WITH_SECONDS = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const DAY = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long" });
const SHORT_DAY = new Intl.DateTimeFormat("en-GB", {
  weekday: "short",
  day: "numeric",
  month: "short",
});
const COUNT = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

const SECOND_MS = 1_000;
const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;

/** "14:03", in the zone of this screen. */
export function clock(atMs: number): string {
  return TIME.format(atMs);
}

/** "14:04:41". */
export function clockWithSeconds(atMs: number): string {
  return TIME_WITH_SECONDS.format(atMs);
}

/** "Tuesday 14 October". */
export function day(atMs: number): string {
  return DAY.format(atMs).replace(",", "");
}

/** "Tue 14 Oct". */
export function shortDay(atMs: number): string {
  return SHORT_DAY.format(atMs).replace(",", "");
}

/** "4,127". */
export function count(number: number): string {
  return COUNT.format(number);
}

/** "38 s", "2 min 32 s", "1 h 12 min", "3 d 4 h". Whole seconds that have passed. */
export function duration(durationMs: number): string {
  const seconds = Math.max(0, Math.floor(durationMs / SECOND_MS));
  if (seconds < MINUTE_S) {
    return `${seconds} s`;
  }
  if (seconds < HOUR_S) {
    return pair(seconds, MINUTE_S, "min", 1, "s");
  }
  return seconds < DAY_S
    ? pair(seconds, HOUR_S, "h", MINUTE_S, "min")
    : pair(seconds, DAY_S, "d", HOUR_S, "h");
}

function pair(seconds: number, big: number, bigName: string, small: number, smallName: string) {
  const rest = Math.floor((seconds % big) / small);
  const first = `${Math.floor(seconds / big)} ${bigName}`;
  return rest === 0 ? first : `${first} ${rest} ${smallName}`;
}

/** "1 s ago". What has just come is a second old: a screen never claims less. */
export function ago(ageMs: number): string {
  return `${coarse(ageMs)} ago`;
}

function coarse(ageMs: number): string {
  const seconds = Math.max(1, Math.floor(ageMs / SECOND_MS));
  if (seconds < MINUTE_S) {
    return `${seconds} s`;
  }
  return seconds < HOUR_S ? `${Math.floor(seconds / MINUTE_S)} min` : duration(seconds * SECOND_MS);
}

/** "1 second ago", for a voice. */
export function agoSpoken(ageMs: number): string {
  const seconds = Math.max(1, Math.floor(ageMs / SECOND_MS));
  const [number, unit] =
    seconds < MINUTE_S
      ? [seconds, "second"]
      : seconds < HOUR_S
        ? [Math.floor(seconds / MINUTE_S), "minute"]
        : [Math.floor(seconds / HOUR_S), "hour"];
  return `${number} ${unit}${number === 1 ? "" : "s"} ago`;
}

/** "0.1 s", "3 s", "2 min": the age on a hop. */
export function hopAge(ageMs: number): string {
  return ageMs < SECOND_MS
    ? `${Math.max(0.1, Math.round(ageMs / 100) / 10).toFixed(1)} s`
    : coarse(ageMs);
}

/** "1 reading", "312 readings". */
export function readings(number: number): string {
  return `${count(number)} ${number === 1 ? "reading" : "readings"}`;
}

/** "2 bridges asked", "No bridge to ask". */
export function askedWords(bridges: number): string {
  return bridges === 0
    ? "No bridge to ask"
    : `${count(bridges)} ${bridges === 1 ? "bridge" : "bridges"} asked`;
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

// Days, hours and their names by the clocks of one zone: a person's, or of this screen.

interface Fields {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

const DAY_MS = 86_400_000;
const SECOND_MS = 1_000;

export class Calendar {
  readonly #fields: Intl.DateTimeFormat;
  readonly #time: Intl.DateTimeFormat;
  readonly #shortDay: Intl.DateTimeFormat;
  readonly #weekday: Intl.DateTimeFormat;

  /** By a name of the IANA database. Null, or a zone that this browser lacks: the screen's own. */
  constructor(zone: string | null) {
    const timeZone = known(zone);
    const formatter = (options: Intl.DateTimeFormatOptions) =>
      new Intl.DateTimeFormat("en-GB", { ...options, timeZone });
    const two = "2-digit";
    this.#fields = formatter({
      calendar: "gregory",
      numberingSystem: "latn",
      hourCycle: "h23",
      year: "numeric",
      month: two,
      day: two,
      hour: two,
      minute: two,
      second: two,
    });
    this.#time = formatter({ hour: two, minute: two });
    this.#shortDay = formatter({ weekday: "short", day: "numeric", month: "short" });
    this.#weekday = formatter({ weekday: "short" });
  }

  /** When the day begins that is so many days after that of this moment; before it: negative. */
  dayBegins(atMs: number, days = 0): number {
    const { year, month, day } = this.#dateOf(atMs);
    return this.#midnight(Date.UTC(year, month - 1, day + days));
  }

  /** "14:03". */
  clock(atMs: number): string {
    return this.#time.format(atMs);
  }

  /** "Tue 14 Oct". */
  shortDay(atMs: number): string {
    return this.#shortDay.format(atMs).replace(",", "");
  }

  /** "Tue". */
  weekday(atMs: number): string {
    return this.#weekday.format(atMs);
  }

  #dateOf(atMs: number): Fields {
    const date = new Date(this.#wallMs(atMs));
    return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
  }

  /** What the clocks show, as if they were those of UTC. */
  #wallMs(atMs: number): number {
    const of: Record<string, number> = {};
    for (const { type, value } of this.#fields.formatToParts(atMs)) {
      of[type] = Number(value);
    }
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = of;
    return Date.UTC(year, month - 1, day, hour, minute, second);
  }

  /** The first of it where it comes twice; where it is skipped, the moment of the jump. */
  #midnight(wallMs: number): number {
    const before = wallMs - DAY_MS - SECOND_MS;
    const byOffsetBefore = wallMs - (this.#wallMs(before) - before);
    if (this.#wallMs(byOffsetBefore) === wallMs) {
      return byOffsetBefore;
    }
    const byOffsetAfter = wallMs - (this.#wallMs(wallMs + DAY_MS) - (wallMs + DAY_MS));
    return this.#wallMs(byOffsetAfter) === wallMs ? byOffsetAfter : byOffsetBefore;
  }
}

function known(zone: string | null): string | undefined {
  try {
    return zone === null
      ? undefined
      : new Intl.DateTimeFormat("en-GB", { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

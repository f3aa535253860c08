// Steps today by the hour, and of the week by day: bars, the running one striped, none invented.
import { usePast } from "@/hooks/use-past";
import type { Calendar } from "@/model/calendar";
import type { StepsView } from "@/model/person";
import {
  daysOfWeek,
  dayUntil,
  finenessOfHours,
  hoursOfDay,
  type StepsBar,
  weekAsked,
  weekUntil,
} from "@/model/steps";
import { count } from "@/model/words";

interface StepsProps {
  readonly user: string;
  readonly view: StepsView;
  readonly dayEndsMs: number;
  /** The person's. */
  readonly calendar: Calendar;
  readonly nowMs: number;
}

export function Steps({ user, view, dayEndsMs, calendar, nowMs }: StepsProps) {
  const day = dayUntil(dayEndsMs, calendar);
  const hourly = { user, metric: "steps", resolution: finenessOfHours(day) };
  const hours = hoursOfDay(usePast(hourly, day), day, nowMs);
  const daily = { user, metric: "steps", resolution: "day" } as const;
  const record = usePast(daily, weekAsked(dayEndsMs));
  const days = daysOfWeek(record, weekUntil(dayEndsMs, calendar), nowMs);
  return (
    <section aria-labelledby="steps">
      <h2 id="steps">Steps today</h2>
      <p className="total">
        <b>{view.figure}</b> <span className="second">{view.note ?? "so far"}</span>
      </p>
      <Bars bars={hours} what="hour" name={(atMs) => calendar.clock(atMs)} />
      <div className="hax" aria-hidden="true">
        {["0", "6", "12", "18", "24 h"].map((label, index) => (
          <span key={label} style={{ left: `${index * 25}%` }}>
            {label}
          </span>
        ))}
      </div>
      <h3>The week</h3>
      <Bars bars={days} what="day" name={(atMs) => calendar.shortDay(atMs)} />
      <div className="hax days" aria-hidden="true">
        {days.map(({ fromMs, running }) => (
          <span key={fromMs}>{running ? "today" : calendar.weekday(fromMs)}</span>
        ))}
      </div>
    </section>
  );
}

interface BarsProps {
  readonly bars: readonly StepsBar[];
  readonly what: "hour" | "day";
  readonly name: (atMs: number) => string;
}

function Bars({ bars, what, name }: BarsProps) {
  const most = Math.max(1, ...bars.map(({ steps }) => steps ?? 0));
  const words = bars
    .filter(({ steps }) => steps !== null)
    .map(({ fromMs, steps, running }) => {
      const soFar = running ? " so far" : "";
      return `${name(fromMs)} ${count(steps ?? 0)}${soFar}`;
    });
  const said = words.length === 0 ? "nothing measured" : words.join(", ");
  return (
    <div className={`hours by-${what}`} role="img" aria-label={`Steps by ${what}: ${said}.`}>
      {bars.map((bar) => (
        <i
          key={bar.fromMs}
          className={bar.running ? "part" : ""}
          style={{ height: `${(((bar.steps ?? 0) / most) * 100).toFixed(1)}%` }}
        />
      ))}
    </div>
  );
}

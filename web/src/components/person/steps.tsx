// Steps today by the hour, and of the week by day: bars, the running one striped, none invented.
import { usePast } from "@/hooks/use-past";
import type { StepsView } from "@/model/person";
import { daysBefore, daysOfWeek, hoursOfDay, type StepsBar } from "@/model/steps";
import { clock, count, shortDay } from "@/model/words";

interface StepsProps {
  readonly user: string;
  readonly view: StepsView;
  readonly dayEndsMs: number;
  readonly nowMs: number;
}

const WEEK_DAYS = 7;

export function Steps({ user, view, dayEndsMs, nowMs }: StepsProps) {
  const dayBeganMs = daysBefore(dayEndsMs, 1);
  const weekBeganMs = daysBefore(dayEndsMs, WEEK_DAYS);
  const hourly = { user, metric: "steps", resolution: "hour" } as const;
  const daily = { user, metric: "steps", resolution: "day" } as const;
  const hours = usePast(hourly, { fromMs: dayBeganMs, toMs: dayEndsMs });
  const days = usePast(daily, { fromMs: weekBeganMs, toMs: dayEndsMs });
  return (
    <section aria-labelledby="steps">
      <h2 id="steps">Steps today</h2>
      <p className="total">
        <b>{view.figure}</b> <span className="second">{view.note ?? "so far"}</span>
      </p>
      <Bars bars={hoursOfDay(hours, dayEndsMs, nowMs)} what="hour" name={clock} />
      <div className="hax" aria-hidden="true">
        {["0", "6", "12", "18", "24 h"].map((label, index) => (
          <span key={label} style={{ left: `${index * 25}%` }}>
            {label}
          </span>
        ))}
      </div>
      <h3>The week</h3>
      <Bars bars={daysOfWeek(days, dayEndsMs, nowMs)} what="day" name={shortDay} />
      <div className="hax days" aria-hidden="true">
        {daysOfWeek(days, dayEndsMs, nowMs).map(({ fromMs, running }) => (
          <span key={fromMs}>{running ? "today" : weekday(fromMs)}</span>
        ))}
      </div>
    </section>
  );
}

const WEEKDAY = new Intl.DateTimeFormat("en-GB", { weekday: "short" });

function weekday(atMs: number): string {
  return WEEKDAY.format(atMs);
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

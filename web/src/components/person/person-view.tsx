// One person: the figure large, the line and what is behind it, steps and ranges of day and week.
import { useEffect, useRef, useState } from "react";
import { Rate } from "@/components/people/rate";
import { asGiven, ToldFigures } from "@/components/people/told";
import { useCalendar } from "@/hooks/use-calendar";
import { useExactRate } from "@/hooks/use-exact-rate";
import { useKeys } from "@/hooks/use-keys";
import type { Calendar } from "@/model/calendar";
import {
  becauseNone,
  dayLine,
  heartRateOf,
  rateOf,
  sessionLine,
  sessionOf,
  stepsView,
  wearables,
} from "@/model/person";
import { trendOf } from "@/model/rate";
import { isOnlyTold, toldOf } from "@/model/told";
import { isSteps } from "@/services/health-data";
import type { WatchedPerson } from "@/services/websocket-service";
import { Acts } from "./acts";
import { LookBack } from "./look-back";
import { Ranges } from "./ranges";
import { Steps } from "./steps";

interface PersonViewProps {
  readonly person: WatchedPerson;
  readonly nowMs: number;
  readonly connected: boolean;
  readonly simulated: boolean;
  readonly mayMark: boolean;
  readonly onLeave: () => void;
}

export default function PersonView(props: PersonViewProps) {
  const { person, nowMs, connected, simulated, mayMark, onLeave } = props;
  const [marks, setMarks] = useState(0);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const rate = useExactRate(rateOf(person, nowMs, connected));
  const calendar = useCalendar(person.user);
  const dayEndsMs = dayEnd(person, calendar, nowMs);
  useKeys({ m: mayMark ? () => setMarks((before) => before + 1) : null, Escape: onLeave });
  return (
    <div className="person" data-state={rate.state}>
      <div className="top">
        <div className="name">
          <button type="button" className="leave" onClick={onLeave}>
            <span aria-hidden="true">←</span> All people
          </button>
          <h1 ref={heading} tabIndex={-1}>
            {person.name}
          </h1>
          {simulated ? <span className="tag">simulated</span> : null}
          <p className="second">{sessionLine(person, nowMs)}</p>
        </div>
        {mayMark && connected ? (
          <Acts user={person.user} session={sessionOf(person)} markAsked={marks} />
        ) : null}
      </div>
      {isOnlyTold(person) ? (
        <AsGiven person={person} />
      ) : (
        <div className="panel">
          <div className="main">
            <section className="hero" aria-label="Heart rate now">
              <Rate
                rate={rate}
                trend={rate.bpm === null ? null : trendOf(person.line)}
                because={becauseNone(person, rate, nowMs)}
                nowMs={nowMs}
              />
              <Beside person={person} nowMs={nowMs} connected={connected} />
              <AsGiven person={person} />
            </section>
            <LookBack
              person={person}
              rate={rate}
              nowMs={nowMs}
              connected={connected}
              dayEndsMs={dayEndsMs}
            />
          </div>
          <aside className="side" aria-label="Day and week">
            <Steps
              user={person.user}
              view={stepsView(person, nowMs)}
              dayEndsMs={dayEndsMs}
              calendar={calendar}
              nowMs={nowMs}
            />
            <Ranges person={person} dayEndsMs={dayEndsMs} calendar={calendar} />
          </aside>
        </div>
      )}
    </div>
  );
}

/** What an application has said of the person, beside what was measured. */
function AsGiven({ person }: { readonly person: WatchedPerson }) {
  const told = toldOf(person);
  return told === null || told.fields.length === 0 ? null : (
    <div className="as-given">
      <h2>{asGiven(told.atMs)}</h2>
      <ToldFigures told={told} />
    </div>
  );
}

type BesideProps = Pick<PersonViewProps, "person" | "nowMs" | "connected">;

function Beside({ person, nowMs, connected }: BesideProps) {
  return (
    <div className="about">
      <Measured person={person} nowMs={nowMs} />
      <dl className="kv">
        {wearables(person, connected).map((device) => (
          <div key={device.device}>
            <dt>{device.name}</dt> <dd>{device.text}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

/** Average, lowest and highest of the day, or of the session that runs. */
function Measured({ person, nowMs }: Omit<BesideProps, "connected">) {
  const data = heartRateOf(person);
  const figures = data === null ? [] : [data.average, data.min, data.max];
  if (data === null || nowMs >= data.dayEndsMs || figures.some((one) => one === null)) {
    return <p className="day-line">{dayLine(person, nowMs) ?? "Nothing measured today"}</p>;
  }
  return (
    <>
      <h2>{data.over === "session" ? "This session so far" : "Today so far"}</h2>
      <dl className="figs">
        {["Average", "Lowest", "Highest"].map((name, index) => (
          <div key={name}>
            <dt>{name}</dt> <dd>{Math.round(figures[index] ?? 0)}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

/** Of the person's own day. */
function dayEnd(person: WatchedPerson, calendar: Calendar, nowMs: number): number {
  const { steps } = person.metrics;
  const said = heartRateOf(person)?.dayEndsMs ?? (isSteps(steps) ? steps.dayEndsMs : null);
  return said !== null && said > nowMs ? said : calendar.dayBegins(nowMs, 1);
}

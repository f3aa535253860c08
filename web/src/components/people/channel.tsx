// One person: name, rate, sheet, and what is beside them.
import { memo } from "react";
import { useExactRate } from "@/hooks/use-exact-rate";
import { usePresent } from "@/hooks/use-present";
import { useWidth } from "@/hooks/use-width";
import { sheetNote } from "@/model/describe";
import {
  becauseNone,
  dayLine,
  rateOf,
  type StepsView,
  sessionLine,
  stepsView,
  type WearableView,
  wearables,
} from "@/model/person";
import { trendOf } from "@/model/rate";
import { isOnlyTold, type Told, toldOf } from "@/model/told";
import type { WatchedPerson } from "@/services/websocket-service";
import { Rate } from "./rate";
import { Sheet } from "./sheet";
import { asGiven, ToldFigures } from "./told";

interface ChannelProps {
  readonly person: WatchedPerson;
  /** The server's second: lines and ages step with it. */
  readonly nowMs: number | null;
  readonly connected: boolean;
  readonly simulated: boolean;
  /** No room for labels on the sheet: they become sentences below. */
  readonly compact: boolean;
  /** Opens the person's own page. */
  readonly onOpen: (user: string) => void;
}

export const Channel = memo(function Channel(props: ChannelProps) {
  const told = isOnlyTold(props.person) ? toldOf(props.person) : null;
  return told === null ? <Measured {...props} /> : <ByTold {...props} told={told} />;
});

/** Nothing measures this person: neither a rate that is missing nor a line that begins. */
function ByTold({ person, told, onOpen }: ChannelProps & { readonly told: Told }) {
  return (
    <article className="channel by-told" aria-label={person.name}>
      <header className="who">
        <Name person={person} simulated={false} onOpen={onOpen} />
        <p className="second">{asGiven(told.atMs)}</p>
      </header>
      <ToldFigures told={told} />
    </article>
  );
}

function Name({
  person,
  simulated,
  onOpen,
}: Pick<ChannelProps, "person" | "simulated" | "onOpen">) {
  return (
    <div className="name">
      <h2 title={person.name}>
        <button type="button" className="to-person" onClick={() => onOpen(person.user)}>
          <span>{person.name}</span>
        </button>
      </h2>
      {simulated ? <span className="tag">simulated</span> : null}
    </div>
  );
}

function Measured(props: ChannelProps) {
  const { person, nowMs, connected, simulated, compact, onOpen } = props;
  const rate = useExactRate(rateOf(person, nowMs, connected));
  const [sheet, ledger] = usePresent(person, rate, nowMs);
  const today = dayLine(person, nowMs);
  const session = sessionLine(person, nowMs);
  const [figure, width] = useWidth<HTMLElement>();
  const note = sheet === null ? "" : sheetNote(sheet, compact ? 0 : width);
  return (
    <article className="channel" data-state={rate.state} aria-label={person.name}>
      <header className="who">
        <Name person={person} simulated={simulated} onOpen={onOpen} />
        {session === null ? null : <p className="second">{session}</p>}
        {today === null ? null : <p className="second">{today}</p>}
      </header>
      <div className="reading">
        <Rate
          rate={rate}
          trend={rate.bpm === null ? null : trendOf(person.line)}
          because={becauseNone(person, rate, nowMs, ledger)}
          nowMs={nowMs}
        />
      </div>
      {sheet === null ? (
        <div className="sheet" />
      ) : (
        <Sheet
          sheet={sheet}
          live={rate.bpm !== null}
          name={person.name}
          figure={figure}
          width={compact ? 0 : width}
        />
      )}
      <div className="aside">
        <Beside steps={stepsView(person, nowMs)} devices={wearables(person, connected)} />
      </div>
      {note === "" ? null : <p className="note">{note}</p>}
    </article>
  );
}

interface BesideProps {
  readonly steps: StepsView;
  readonly devices: readonly WearableView[];
}

function Beside({ steps, devices }: BesideProps) {
  return (
    <dl className="beside">
      <div>
        <dt>Steps so far</dt>{" "}
        <dd>
          {steps.figure}
          {steps.note === null ? null : <small>{steps.note}</small>}
        </dd>
      </div>
      {devices.map((device) => (
        <div className="small" key={device.device}>
          <dt>{device.name}</dt> <dd>{device.text}</dd>
        </div>
      ))}
    </dl>
  );
}

// The line and what is behind it: how much of it is shown, moved by keys, buttons and dragging.
import {
  type KeyboardEvent,
  type PointerEvent,
  type ReactNode,
  type RefObject,
  useRef,
  useState,
} from "react";
import { Sheet } from "@/components/people/sheet";
import { Legend } from "@/components/people/time-axis";
import { useFirst } from "@/hooks/use-first";
import { useGaps } from "@/hooks/use-gaps";
import { useNotes } from "@/hooks/use-notes";
import { usePast } from "@/hooks/use-past";
import { usePresent } from "@/hooks/use-present";
import { useWidth } from "@/hooks/use-width";
import { sheetNote } from "@/model/describe";
import { beforeWords, fitsOn, stretchWords } from "@/model/describe-past";
import type { First } from "@/model/first";
import { isAccounted, type Missed, missedOf, silencesOf } from "@/model/gap-list";
import { withLine } from "@/model/latest";
import {
  asPast,
  fetched,
  grown,
  type Looking,
  movedBy,
  movedTo,
  neighbour,
  rawSheetOf,
  spanned,
  stretchOf,
} from "@/model/look-back";
import { type PastSheet, pastSheetOf } from "@/model/past";
import { heartRateOf, sessionOf } from "@/model/person";
import type { RateView } from "@/model/rate";
import type { Sheet as SheetModel } from "@/model/sheet";
import { FIVE_MINUTES, SPANS, type Span, spanOfSession } from "@/model/spans";
import type { Ledger } from "@/services/gaps";
import type { PastRecord } from "@/services/past";
import type { Stretch } from "@/services/stretches";
import type { WatchedPerson } from "@/services/websocket-service";
import { Axis } from "./axis";
import { Figures } from "./figures";
import { GapList } from "./gap-list";
import { Marks, Noted, Sessions } from "./noted";
import { Overview, overviewOf } from "./overview";
import { PastPlot } from "./past-plot";
import { PastTable } from "./past-table";

interface LookBackProps {
  readonly person: WatchedPerson;
  readonly rate: RateView;
  readonly nowMs: number;
  readonly connected: boolean;
  /** When the person's own day is over. */
  readonly dayEndsMs: number;
}

const FRESH_FOR_MS = 5_000;
const STEP = 1 / 4;

export function LookBack({ person, rate, nowMs, connected, dayEndsMs }: LookBackProps) {
  const [lookedAt, look] = useState<Looking>({ span: FIVE_MINUTES, endMs: null });
  const sinceMs = sessionOf(person)?.startMs ?? null;
  const looking = grown(lookedAt, sinceMs, nowMs);
  const { span } = looking;
  const stretch = stretchOf(looking, nowMs);
  const around = overviewOf(looking, nowMs);
  const notes = useNotes(person, around ?? fetched(stretch, span), connected);
  const earliestMs = Math.min(stretch.fromMs, around?.fromMs ?? stretch.fromMs);
  const first = useFirst(person.user, dayEndsMs, earliestMs, nowMs);
  const drag = useDrag(looking, nowMs, look);
  const chosen = (next: Span) => look(spanned(looking, next, nowMs));
  const keys = (event: KeyboardEvent) => {
    const next = byKey(event, looking, nowMs);
    if (next !== null) {
      event.preventDefault();
      look(next);
    }
  };
  return (
    <section className="look-back" aria-labelledby="line" onKeyDown={keys}>
      <div className="row">
        <h2 id="line">{headline(looking, sinceMs, nowMs)}</h2>
        <Spans
          span={span}
          running={sinceMs === null ? null : spanOfSession(sinceMs, nowMs)}
          onChoose={chosen}
        />
      </div>
      <Shown
        person={person}
        rate={rate}
        nowMs={nowMs}
        looking={looking}
        figure={drag}
        notes={notes}
        first={first}
      >
        <Moves looking={looking} nowMs={nowMs} onLook={look} />
      </Shown>
      {around === null ? null : (
        <Overview
          person={person}
          around={around}
          looking={looking}
          nowMs={nowMs}
          sessions={notes.sessions}
          first={first}
          onLook={(toMs) => look(movedTo(looking, toMs, nowMs))}
        />
      )}
    </section>
  );
}

function headline({ span, endMs }: Looking, sinceMs: number | null, nowMs: number): string {
  if (endMs === null && span.sinceMs !== undefined) {
    return sinceMs === null ? "Since the session began" : "This session";
  }
  if (endMs === null) {
    return `Last ${span.words}`;
  }
  return stretchWords(endMs - span.lengthMs, endMs, nowMs);
}

function byKey(event: KeyboardEvent, looking: Looking, nowMs: number): Looking | null {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target instanceof HTMLInputElement) {
    return null;
  }
  const stepMs = looking.span.lengthMs * (event.shiftKey ? 1 : STEP);
  switch (event.key) {
    case "ArrowLeft":
      return movedBy(looking, -stepMs, nowMs);
    case "ArrowRight":
      return movedBy(looking, stepMs, nowMs);
    case "End":
      return { ...looking, endMs: null };
    case "-":
      return spanned(looking, neighbour(looking.span, 1), nowMs);
    case "+":
    case "=":
      return spanned(looking, neighbour(looking.span, -1), nowMs);
    default:
      return null;
  }
}

interface SpansProps {
  readonly span: Span;
  readonly running: Span | null;
  readonly onChoose: (span: Span) => void;
}

function Spans({ span, running, onChoose }: SpansProps) {
  const all = [...SPANS.slice(0, 2), ...(running === null ? [] : [running]), ...SPANS.slice(2)];
  return (
    // biome-ignore lint/a11y/useSemanticElements: no form, and no fieldset's looks
    <div className="spans" role="group" aria-label="How much is shown">
      {all.map((one) => (
        <button
          key={one.id}
          type="button"
          aria-pressed={one.id === span.id}
          onClick={() => onChoose(one)}
        >
          {one.name}
        </button>
      ))}
    </div>
  );
}

interface MovesProps {
  readonly looking: Looking;
  readonly nowMs: number;
  readonly onLook: (next: Looking) => void;
}

function Moves({ looking, nowMs, onLook }: MovesProps) {
  const { lengthMs } = looking.span;
  const live = looking.endMs === null;
  return (
    <div className="row moves">
      <Move words="Earlier" onClick={() => onLook(movedBy(looking, -lengthMs, nowMs))} />
      <Move
        words="Later"
        disabled={live}
        onClick={() => onLook(movedBy(looking, lengthMs, nowMs))}
      />
      <Move words="Now" disabled={live} onClick={() => onLook({ ...looking, endMs: null })} />
      <p className="second hint">Drag the line, or use the arrow keys, to go back</p>
    </div>
  );
}

interface MoveProps {
  readonly words: string;
  readonly disabled?: boolean;
  readonly onClick: () => void;
}

/** Without `disabled` of its own: a button that loses the focus loses the keyboard. */
function Move({ words, disabled = false, onClick }: MoveProps) {
  return (
    <button
      type="button"
      className="button move"
      aria-disabled={disabled}
      onClick={disabled ? undefined : onClick}
    >
      {words}
    </button>
  );
}

type Notes = ReturnType<typeof useNotes>;

interface ShownProps extends Omit<LookBackProps, "connected" | "dayEndsMs"> {
  readonly looking: Looking;
  readonly figure: Drag;
  readonly notes: Notes;
  readonly first: First | null;
  /** What stands below the drawing, before its figures. */
  readonly children: ReactNode;
}

function Shown(props: ShownProps) {
  const { person, rate, nowMs, looking, figure: drag, notes, first, children } = props;
  const { span, endMs } = looking;
  const stretch = stretchOf(looking, nowMs);
  const live = endMs === null;
  const present = live && span.resolution === "raw";
  const question = { user: person.user, metric: "heart_rate", resolution: span.resolution };
  const fetchedRecord = usePast(question, present ? null : fetched(stretch, span));
  const record = withLine(fetchedRecord, span.resolution, person.line);
  const [figure, width] = useWidth<HTMLElement>();
  const { spells } = person;
  const [now, ledger] = usePresent(person, rate, nowMs);
  const sheet = present ? now : readingsOf({ person, stretch, span, record, ledger, first });
  const means = { ...stretch, record, resolution: span.resolution, spells, nowMs, first };
  const past =
    sheet === null
      ? pastSheetOf({ ...means, ledger })
      : asPast(sheet, present ? null : record.known, first);
  useGaps({ user: person.user, metric: "heart_rate" }, farHoles(past, span));
  const note = noteOf(sheet, past, width, nowMs);
  return (
    <>
      <div className="notes-strip">
        <Sessions sessions={notes.sessions} stretch={stretch} nowMs={nowMs} live={live} />
      </div>
      <div className="drawn" {...drag}>
        <Drawn
          readings={sheet}
          past={past}
          name={person.name}
          nowMs={nowMs}
          live={sheet === null ? live : present && rate.bpm !== null}
          figure={figure}
          width={width}
        >
          <Marks marks={notes.marks} stretch={stretch} />
        </Drawn>
        <Axis {...stretch} live={live} />
      </div>
      {sheet === null ? <MeansLegend /> : <Legend />}
      {note === "" ? null : <p className="note">{note}</p>}
      {children}
      <Figures sheet={past} missed={missedIn(ledger, past, nowMs)} />
      <GapList key={span.id} user={person.user} stretch={stretch} nowMs={nowMs} first={first} />
      <Noted notes={notes} stretch={stretch} nowMs={nowMs} live={heartRateOf(person)} />
      <PastTable sheet={past} name={person.name} />
    </>
  );
}

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const MOST_FAR = 24;

/** Where a stretch is too long for all its gaps to be asked for, those that are seen in it are. */
function farHoles({ gaps }: PastSheet, { lengthMs }: Span): readonly Stretch[] {
  return lengthMs <= DAY_MS
    ? []
    : gaps.slice(-MOST_FAR).map(({ fromMs, toMs }) => ({
        fromMs: Math.floor(fromMs / MINUTE_MS - 1) * MINUTE_MS,
        toMs: Math.ceil(toMs / MINUTE_MS + 1) * MINUTE_MS,
      }));
}

/** By the server's own account where that is whole; null: by what is seen on the sheet. */
function missedIn(ledger: Ledger, past: PastSheet, nowMs: number): Missed | null {
  return isAccounted(ledger, past, nowMs) ? missedOf(silencesOf(ledger, past), past) : null;
}

/** What has no room on the sheet, as sentences. */
function noteOf(sheet: SheetModel | null, past: PastSheet, width: number, nowMs: number): string {
  const gaps = sheet === null ? "" : sheetNote(sheet, width);
  const { before } = past;
  const words = before === null ? "" : beforeWords(before, nowMs);
  const labelled = sheet === null && before !== null && fitsOn(past, words, before, width);
  return words === "" || labelled ? gaps : `${words}. ${gaps}`.trim();
}

interface DrawnProps {
  /** Null: means, as `past` has them. */
  readonly readings: SheetModel | null;
  readonly past: PastSheet;
  readonly name: string;
  readonly nowMs: number;
  readonly live: boolean;
  readonly figure: RefObject<HTMLElement | null>;
  readonly width: number;
  /** Over it. */
  readonly children: ReactNode;
}

function Drawn({ readings, past, name, nowMs, live, figure, width, children }: DrawnProps) {
  return readings === null ? (
    <div ref={figure as RefObject<HTMLDivElement | null>}>
      <PastPlot sheet={past} name={name} live={live} width={width} nowMs={nowMs}>
        {children}
      </PastPlot>
    </div>
  ) : (
    <div className="five">
      <Sheet sheet={readings} live={live} name={name} figure={figure} width={width} />
      <div className="over">{children}</div>
      {past.pending.length > 0 && past.count === 0 ? <p className="waits">Fetching…</p> : null}
    </div>
  );
}

interface ReadingsInput {
  readonly person: WatchedPerson;
  readonly stretch: Stretch;
  readonly span: Span;
  readonly record: PastRecord;
  readonly ledger: Ledger;
  readonly first: First | null;
}

/** Five minutes are drawn reading by reading; anything longer is not. */
function readingsOf({ person, stretch, span, record, ledger, first }: ReadingsInput) {
  if (span.resolution !== "raw") {
    return null;
  }
  const { spells } = person;
  const freshForMs = heartRateOf(person)?.freshForMs ?? FRESH_FOR_MS;
  return rawSheetOf({ ...stretch, record, spells, ledger, freshForMs, first });
}

function MeansLegend() {
  return (
    <div className="legend" aria-hidden="true">
      <span>
        <i className="mean-key" />
        mean, over lowest to highest
      </span>
      <span>
        <i className="swatch" />
        gap, with its cause
      </span>
    </div>
  );
}

interface Drag {
  readonly onPointerDown: (event: PointerEvent<HTMLElement>) => void;
  readonly onPointerMove: (event: PointerEvent<HTMLElement>) => void;
  readonly onPointerUp: () => void;
  readonly onPointerCancel: () => void;
}

const PULL_PX = 4;

/** The paper is pulled: to the right, what is earlier comes in. */
function useDrag(looking: Looking, nowMs: number, look: (next: Looking) => void): Drag {
  const from = useRef<{ readonly x: number; readonly endMs: number } | null>(null);
  const end = () => {
    from.current = null;
  };
  return {
    onPointerDown: (event) => {
      if (event.button === 0) {
        from.current = { x: event.clientX, endMs: looking.endMs ?? nowMs };
      }
    },
    onPointerMove: (event) => {
      const width = event.currentTarget.clientWidth;
      const pulled = from.current === null ? 0 : Math.abs(from.current.x - event.clientX);
      if (pulled >= PULL_PX && !event.currentTarget.hasPointerCapture(event.pointerId)) {
        // Not before: a press that does not move is for what is under it.
        event.currentTarget.setPointerCapture(event.pointerId);
      }
      if (
        from.current !== null &&
        width > 0 &&
        event.currentTarget.hasPointerCapture(event.pointerId)
      ) {
        const byMs = ((from.current.x - event.clientX) / width) * looking.span.lengthMs;
        look(movedTo(looking, Math.round(from.current.endMs + byMs), nowMs));
      }
    },
    onPointerUp: end,
    onPointerCancel: end,
  };
}

// What was said of the time that is shown: sessions above the sheet, marks on it, both in words.

import { sessionWords } from "@/model/describe-past";
import { clock, clockWithSeconds, shortDay } from "@/model/words";
import type { HeartRateData, Mark, SessionMeasured } from "@/protocol/messages";
import type { Notes } from "@/services/notes";
import type { Stretch } from "@/services/stretches";
import { percent } from "./past-plot";

/** What a session's name takes of the sheet. */
const NAME = 0.18;

interface SessionsProps {
  readonly sessions: readonly SessionMeasured[];
  readonly stretch: Stretch;
  readonly nowMs: number;
  /** The right edge is the present. */
  readonly live: boolean;
}

export function Sessions({ sessions, stretch, nowMs, live }: SessionsProps) {
  const { fromMs, toMs } = stretch;
  return (
    <div className="sess" aria-hidden="true">
      {touching(sessions, stretch).map(({ session }, index, all) => {
        const left = Math.max(fromMs, session.startMs);
        const right = Math.min(toMs, session.endMs ?? nowMs);
        const late = isLate(stretch, left) ? "late" : "";
        const nextMs = all[index + 1]?.session.startMs ?? Number.POSITIVE_INFINITY;
        const free = nextMs - session.startMs >= (toMs - fromMs) * NAME;
        const running = live && session.endMs === null ? "running" : "";
        return (
          <span
            key={session.id}
            className={`${running} ${late}`.trim()}
            style={{
              left: percent(stretch, left),
              width: `${(((right - left) / (toMs - fromMs)) * 100).toFixed(3)}%`,
            }}
          >
            {free ? <b>{session.name === "" ? "Session" : session.name}</b> : null}
          </span>
        );
      })}
    </div>
  );
}

interface MarksProps {
  readonly marks: readonly Mark[];
  readonly stretch: Stretch;
}

/** Nearer to the next one than this share of the sheet, a mark's words would lie under another's. */
const APART = 0.08;
/** So near to the right edge, words stand on the left. */
const LATE = 0.8;

function isLate({ fromMs, toMs }: Stretch, atMs: number): boolean {
  return (atMs - fromMs) / (toMs - fromMs) > LATE;
}

export function Marks({ marks, stretch }: MarksProps) {
  const shown = marks.filter((mark) => mark.atMs >= stretch.fromMs && mark.atMs <= stretch.toMs);
  const apartMs = (stretch.toMs - stretch.fromMs) * APART;
  return shown.map((mark, index) => {
    const late = isLate(stretch, mark.atMs);
    const beside = shown[index + 1];
    const free = beside === undefined || beside.atMs - mark.atMs >= apartMs;
    return (
      <i
        className={late ? "tick late" : "tick"}
        key={`${mark.atMs} ${mark.label}`}
        style={{ left: percent(stretch, mark.atMs) }}
      >
        {mark.label === "" || !free ? null : <span>{mark.label}</span>}
      </i>
    );
  });
}

const MOST = 12;

interface NotedProps {
  readonly notes: Notes;
  readonly stretch: Stretch;
  readonly nowMs: number;
  /** The present's figures: of a session while one runs. */
  readonly live: HeartRateData | null;
}

/** The newest few, as sentences. */
export function Noted({ notes, stretch, nowMs, live }: NotedProps) {
  const sessions = touching(notes.sessions, stretch);
  const marks = notes.marks.filter(
    (mark) => mark.atMs >= stretch.fromMs && mark.atMs <= stretch.toMs,
  );
  const unsaid = leftOut(notes, stretch);
  if (sessions.length + marks.length + unsaid.length === 0) {
    return null;
  }
  const left = Math.max(0, sessions.length - MOST) + Math.max(0, marks.length - MOST);
  return (
    <ul className="noted" aria-label="Sessions and marks">
      {sessions.slice(-MOST).map((measured) => (
        <li key={measured.session.id}>{sessionWords(measured, nowMs, live)}</li>
      ))}
      {marks.slice(-MOST).map((mark) => (
        <li key={`${mark.atMs} ${mark.label}`}>
          {mark.label === "" ? "Mark" : `Mark “${mark.label}”`} at {clockWithSeconds(mark.atMs)}
        </li>
      ))}
      {left === 0 ? null : <li>{left} more, earlier</li>}
      {unsaid.map((words) => (
        <li key={words}>{words}</li>
      ))}
    </ul>
  );
}

/** What there is beyond the bound, where any of it may be in this stretch. */
function leftOut({ sessionsUntilMs, marksUntilMs }: Notes, { toMs }: Stretch): string[] {
  const words = (what: string, untilMs: number | null) =>
    untilMs === null || untilMs >= toMs
      ? []
      : [`${what} after ${shortDay(untilMs)}, ${clock(untilMs)} are too many to be shown here`];
  return [...words("Sessions", sessionsUntilMs), ...words("Marks", marksUntilMs)];
}

function touching(
  sessions: readonly SessionMeasured[],
  { fromMs, toMs }: Stretch,
): readonly SessionMeasured[] {
  return sessions.filter(
    ({ session }) => session.startMs < toMs && (session.endMs ?? toMs) > fromMs,
  );
}

// Marks and sessions, set from the page: by button, or by the key m, at the moment it is pressed.
import { type FormEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import { clockWithSeconds } from "@/model/words";
import type { Session } from "@/protocol/messages";
import { RequestError } from "@/services/requests";
import websocketService from "@/services/websocket-service";

interface ActsProps {
  readonly user: string;
  readonly session: Session | null;
  /** Asked by the key m: another number, another mark. */
  readonly markAsked: number;
}

/** What is being written, and of which moment. */
interface Draft {
  readonly what: "mark" | "session";
  readonly atMs: number;
}

const LONGEST = 64;
/** Long enough to be read, and heard. A refusal stays until the next try. */
const SAID_MS = 6_000;

export function Acts({ user, session, markAsked }: ActsProps) {
  const [draft, setDraft] = useDraft(markAsked);
  const [said, ask] = useAsked(user);
  const first = useFocusAfter(draft);
  const write = (text: string) => {
    setDraft(null);
    if (draft?.what === "mark") {
      const { atMs } = draft;
      void ask("mark", { label: text, atMs }, `Marked ${clockWithSeconds(atMs)}`);
    } else if (draft !== null) {
      void ask("startSession", { name: text, atMs: draft.atMs }, "Session started");
    }
  };
  const running = session !== null;
  const other = () =>
    running ? void ask("endSession", {}, "Session ended") : setDraft(draftOf("session"));
  return (
    <div className="acts">
      {draft === null ? (
        <>
          <button
            type="button"
            className="button first"
            ref={first}
            onClick={() => setDraft(draftOf("mark"))}
          >
            Mark
          </button>
          <button type="button" className="button" onClick={other}>
            {running ? "End session" : "Start session"}
          </button>
        </>
      ) : (
        <Write draft={draft} onWrite={write} onLeave={() => setDraft(null)} />
      )}
      <p className="said second" role="status">
        {draft === null ? said : ""}
      </p>
    </div>
  );
}

/** Of this moment; null where the server has not said its time. */
function draftOf(what: Draft["what"]): Draft | null {
  const atMs = websocketService.serverNow();
  return atMs === null ? null : { what, atMs: Math.floor(atMs) };
}

function useDraft(markAsked: number) {
  const [draft, setDraft] = useState<Draft | null>(null);
  const seen = useRef(markAsked);
  // With the key itself, and the focus with it: what is typed next is in the field already.
  useLayoutEffect(() => {
    if (seen.current !== markAsked) {
      seen.current = markAsked;
      setDraft(draftOf("mark"));
    }
  }, [markAsked]);
  return [draft, setDraft] as const;
}

/** The form takes the focus with it when it goes, and the keyboard with the focus. */
function useFocusAfter(draft: Draft | null) {
  const button = useRef<HTMLButtonElement>(null);
  const wrote = useRef(false);
  useLayoutEffect(() => {
    if (wrote.current && draft === null) {
      button.current?.focus();
    }
    wrote.current = draft !== null;
  }, [draft]);
  return button;
}

/** Asks the server, and what came of it. */
function useAsked(user: string) {
  const [said, setSaid] = useState("");
  const [done, setDone] = useState(false);
  useEffect(() => {
    const timer = done ? setTimeout(() => setSaid(""), SAID_MS) : undefined;
    return () => clearTimeout(timer);
  }, [done]);
  const ask = async (method: string, params: Record<string, unknown>, words: string) => {
    setSaid("");
    setDone(false);
    try {
      await websocketService.request(method, { user, ...params });
      setSaid(words);
      setDone(true);
    } catch (error) {
      if (!(error instanceof RequestError)) {
        throw error;
      }
      setSaid(`Not done: ${error.message}`);
    }
  };
  return [said, ask] as const;
}

interface WriteProps {
  readonly draft: Draft;
  readonly onWrite: (text: string) => void;
  readonly onLeave: () => void;
}

function Write({ draft, onWrite, onLeave }: WriteProps) {
  const [text, setText] = useState("");
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => field.current?.focus(), []);
  const mark = draft.what === "mark";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onWrite(text.trim());
  };
  const label = mark ? `Mark at ${clockWithSeconds(draft.atMs)}` : "Name of the session";
  return (
    <form
      className="write"
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key === "Escape") {
          event.preventDefault();
          onLeave();
        }
      }}
    >
      <label>
        <span className="second">{label}</span>
        <input
          ref={field}
          value={text}
          maxLength={LONGEST}
          placeholder={mark ? "Lap 3" : "Intervals"}
          onChange={(event) => setText(event.target.value)}
        />
      </label>
      <button type="submit" className="button first">
        {mark ? "Mark" : "Start"}
      </button>
      <button type="button" className="button" onClick={onLeave}>
        Cancel
      </button>
    </form>
  );
}

// Marks and sessions, set from the page: by button, or by the key m, at the moment it is pressed.
import { type FormEvent, useEffect, useRef, useState } from "react";
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

export function Acts({ user, session, markAsked }: ActsProps) {
  const [draft, setDraft] = useState<Draft | null>(null);
  const [said, setSaid] = useState("");
  const begin = (what: Draft["what"]) => {
    const atMs = websocketService.serverNow();
    if (atMs !== null) {
      setSaid("");
      setDraft({ what, atMs: Math.floor(atMs) });
    }
  };
  const seen = useRef(markAsked);
  useEffect(() => {
    if (seen.current !== markAsked) {
      seen.current = markAsked;
      const atMs = websocketService.serverNow();
      if (atMs !== null) {
        setSaid("");
        setDraft({ what: "mark", atMs: Math.floor(atMs) });
      }
    }
  }, [markAsked]);
  const ask = async (method: string, params: Record<string, unknown>, done: string) => {
    setDraft(null);
    try {
      await websocketService.request(method, { user, ...params });
      setSaid(done);
    } catch (error) {
      if (!(error instanceof RequestError)) {
        throw error;
      }
      setSaid(`Not done: ${error.message}`);
    }
  };
  const write = (text: string) => {
    if (draft?.what === "mark") {
      const { atMs } = draft;
      void ask("mark", { label: text, atMs }, `Marked ${clockWithSeconds(atMs)}`);
    } else if (draft !== null) {
      void ask("startSession", { name: text, atMs: draft.atMs }, "Session started");
    }
  };
  return (
    <div className="acts">
      {draft === null ? (
        <>
          <button type="button" className="button first" onClick={() => begin("mark")}>
            Mark
          </button>
          {session === null ? (
            <button type="button" className="button" onClick={() => begin("session")}>
              Start session
            </button>
          ) : (
            <button
              type="button"
              className="button"
              onClick={() => void ask("endSession", {}, "Session ended")}
            >
              End session
            </button>
          )}
        </>
      ) : (
        <Write draft={draft} onWrite={write} onLeave={() => setDraft(null)} />
      )}
      <p className="said second" role="status">
        {said}
      </p>
    </div>
  );
}

interface WriteProps {
  readonly draft: Draft;
  readonly onWrite: (text: string) => void;
  readonly onLeave: () => void;
}

function Write({ draft, onWrite, onLeave }: WriteProps) {
  const [text, setText] = useState("");
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
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

// The sessions and marks of a stretch, asked for anew when one is told of.
import { useEffect, useMemo, useState } from "react";
import { Newest } from "@/services/newest";
import { fetchNotes, NO_NOTES, type Notes } from "@/services/notes";
import { RequestError } from "@/services/requests";
import type { Stretch } from "@/services/stretches";
import websocketService, { type WatchedPerson } from "@/services/websocket-service";
import { useStood } from "./use-stood";

/** What is moved on and on is asked for where it comes to stand, and one question at a time. */
export function useNotes(person: WatchedPerson, stretch: Stretch, connected: boolean): Notes {
  const { user } = person;
  const { session, mark } = person.metrics;
  const { fromMs, toMs } = stretch;
  const view = useMemo(() => ({ user, fromMs, toMs }), [user, fromMs, toMs]);
  const looked = useStood(view);
  const [notes, setNotes] = useState(NO_NOTES);
  const [newest] = useState(() => new Newest());
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new session or mark is the reason
  useEffect(() => {
    if (!connected) {
      return;
    }
    let wanted = true;
    const withdraw = newest.begin(async () => {
      const found = await asked(looked.user, looked, () => wanted);
      if (wanted && found !== null) {
        setNotes(found);
      }
    });
    return () => {
      wanted = false;
      withdraw();
    };
  }, [looked, connected, session, mark, newest]);
  return notes;
}

/** Null where it is refused, or no longer wanted. */
async function asked(
  user: string,
  { fromMs, toMs }: Stretch,
  isWanted: () => boolean,
): Promise<Notes | null> {
  const ask = (method: string, params: Record<string, unknown>) =>
    websocketService.request(method, params);
  try {
    return await fetchNotes(ask, user, { fromMs, toMs }, isWanted);
  } catch (error) {
    if (!(error instanceof RequestError)) {
      throw error;
    }
    // A lost connection asks again when it is back; a refusal leaves the sheet without notes.
    if (error.code !== "connectionLost") {
      console.warn(`Sessions and marks are missing: ${error.message}`);
    }
    return null;
  }
}

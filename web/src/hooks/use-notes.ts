// The sessions and marks of a stretch, asked for anew when one is told of.
import { useEffect, useState } from "react";
import { fetchNotes, NO_NOTES, type Notes } from "@/services/notes";
import { RequestError } from "@/services/requests";
import type { Stretch } from "@/services/stretches";
import websocketService, { type WatchedPerson } from "@/services/websocket-service";

export function useNotes(person: WatchedPerson, stretch: Stretch, connected: boolean): Notes {
  const { user } = person;
  const { session, mark } = person.metrics;
  const { fromMs, toMs } = stretch;
  const [notes, setNotes] = useState(NO_NOTES);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new session or mark is the reason
  useEffect(() => {
    let wanted = connected;
    if (wanted) {
      fetchNotes((method, params) => websocketService.request(method, params), user, {
        fromMs,
        toMs,
      }).then(
        (found) => {
          if (wanted) {
            setNotes(found);
          }
        },
        (error: unknown) => {
          if (!(error instanceof RequestError)) {
            throw error;
          }
          // A lost connection asks again when it is back; a refusal leaves the sheet without notes.
          if (error.code !== "connectionLost") {
            console.warn(`Sessions and marks are missing: ${error.message}`);
          }
        },
      );
    }
    return () => {
      wanted = false;
    };
  }, [user, fromMs, toMs, connected, session, mark]);
  return notes;
}

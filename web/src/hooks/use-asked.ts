// A question that was asked by a button: for long enough to be seen, then what came of it.
import { useEffect, useRef, useState } from "react";

/** A sign that is gone at once is no sign. */
const ASKING_MS = 1_000;
const ANSWER_MS = 3_000;
const PATIENCE_MS = 10_000;
const NO_ANSWER = "No answer";

/**
 * `said`: `asking` for a second at least, then the text that `ask` promised, for three; null where
 * nothing is to be said. A second question is not asked while that is so.
 */
export function useAsked(
  ask: (() => unknown) | undefined,
  asking: string,
): [said: string | null, ask: () => void] {
  const [said, setSaid] = useState<string | null>(null);
  const shown = useRef(true);
  useEffect(() => {
    shown.current = true;
    return () => {
      shown.current = false;
    };
  }, []);
  const say = (text: string | null) => {
    if (shown.current) {
      setSaid(text);
    }
  };
  const begin = async () => {
    say(asking);
    const [answer] = await Promise.all([answerOf(ask), wait(ASKING_MS)]);
    if (answer !== null) {
      say(answer);
      await wait(ANSWER_MS);
    }
    say(null);
  };
  return [said, () => (said === null ? void begin() : undefined)];
}

async function answerOf(ask: (() => unknown) | undefined): Promise<string | null> {
  try {
    const answer = await Promise.race([ask?.(), wait(PATIENCE_MS).then(() => NO_ANSWER)]);
    return typeof answer === "string" ? answer : null;
  } catch {
    return NO_ANSWER;
  }
}

function wait(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}

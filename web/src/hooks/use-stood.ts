// What a view has settled on: while keys or a drag move it on and on, what it was before.
import { useEffect, useState } from "react";

/** A key that is held repeats thirty times a second; a hand that rests takes longer than this. */
export const STOOD_MS = 200;

/** `value`, once it has been the same object for `STOOD_MS`; the first one at once. */
export function useStood<Value extends object>(value: Value): Value {
  const [stood, setStood] = useState(value);
  useEffect(() => {
    const timer = value === stood ? undefined : setTimeout(() => setStood(value), STOOD_MS);
    return () => clearTimeout(timer);
  }, [value, stood]);
  return stood;
}

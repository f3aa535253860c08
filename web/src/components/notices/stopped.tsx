// There is no session, and a person must do something: a new link, a reload, an upgrade.
import { type FormEvent, useId, useState } from "react";
import { Hops } from "@/components/ui/hops";
import { wayOfNobody } from "@/model/hops";
import { tokenOf } from "@/model/link-text";
import { reasonRemedy, reasonTitle } from "@/model/reason-words";
import { Reason } from "@/services/close-codes";
import type { ConnectionState } from "@/services/websocket-service";

interface StoppedProps {
  readonly connection: ConnectionState;
  readonly reason: Reason;
  readonly onToken: (token: string) => void;
}

const BY_LINK: ReadonlySet<Reason> = new Set([
  Reason.NO_LINK,
  Reason.LINK_ENDED,
  Reason.LINK_REVOKED,
]);

export function Stopped({ connection, reason, onToken }: StoppedProps) {
  return (
    <>
      <section className="plain-page">
        <h1>{reasonTitle(reason)}</h1>
        <p>{reasonRemedy(reason)}</p>
        {BY_LINK.has(reason) ? (
          <LinkForm onToken={onToken} />
        ) : (
          <div className="two">
            <button type="button" className="button first" onClick={() => location.reload()}>
              Reload
            </button>
          </div>
        )}
      </section>
      <div className="foot">
        <Hops way={wayOfNobody(connection)} />
      </div>
    </>
  );
}

function LinkForm({ onToken }: Pick<StoppedProps, "onToken">) {
  const [text, setText] = useState("");
  const [refused, setRefused] = useState(false);
  const input = useId();
  const problem = useId();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const token = tokenOf(text);
    setRefused(token === null);
    if (token !== null) {
      setText("");
      onToken(token);
    }
  };
  return (
    <form className="link-form" onSubmit={submit} noValidate>
      <label htmlFor={input}>Paste the link</label>
      <div className="two">
        <input
          id={input}
          type="password"
          autoComplete="off"
          spellCheck={false}
          value={text}
          aria-invalid={refused}
          aria-describedby={refused ? problem : undefined}
          onChange={(event) => setText(event.target.value)}
        />
        <button type="submit" className="button first">
          Open
        </button>
      </div>
      {refused ? (
        <p className="second" id={problem} role="alert">
          This is not a Strapline link: it has no #token= at its end. Copy the whole of it.
        </p>
      ) : null}
    </form>
  );
}

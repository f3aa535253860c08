// There is no session, and a person must do something: a new link, a reload, an upgrade.
import { type FormEvent, type ReactNode, useId, useState } from "react";
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
  Reason.LINK_REFUSED,
  Reason.LINK_REVOKED,
]);

export function Stopped({ connection, reason, onToken }: StoppedProps) {
  return (
    <>
      <section className="plain-page">
        <h1>{reasonTitle(reason)}</h1>
        <p>{withCommands(reasonRemedy(reason))}</p>
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

/** What stands between back quotes is a command. */
function withCommands(text: string): ReactNode[] {
  return text.split("`").map((part, index) =>
    index % 2 === 1 ? (
      <code className="command" key={part}>
        {part}
      </code>
    ) : (
      part
    ),
  );
}

function LinkForm({ onToken }: Pick<StoppedProps, "onToken">) {
  const [text, setText] = useState("");
  const [refused, setRefused] = useState(false);
  // A link is a key, and hidden as one; who mistyped it may want to look.
  const [shown, setShown] = useState(false);
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
          type={shown ? "text" : "password"}
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
      <label className="show">
        <input
          type="checkbox"
          checked={shown}
          onChange={(event) => setShown(event.target.checked)}
        />
        Show it
      </label>
      {refused ? (
        <p className="second" id={problem} role="alert">
          This is not a Strapline link: it has no #token= at its end. Copy the whole of it.
        </p>
      ) : null}
    </form>
  );
}

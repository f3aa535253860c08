// Before the first reading: no strap yet, or paired and waiting.
import type { ReactNode } from "react";
import { Hops } from "@/components/ui/hops";
import { waysOf } from "@/model/hops";
import { clockWithSeconds } from "@/model/words";
import websocketService, {
  type ServiceSnapshot,
  type WatchedPerson,
} from "@/services/websocket-service";

export function NobodyYet() {
  return (
    <section className="plain-page">
      <h1>Nobody to watch yet</h1>
      <p>
        This link shows no one so far. As soon as somebody shares with it, they appear here by
        themselves.
      </p>
    </section>
  );
}

interface NoStrapYetProps {
  readonly snapshot: ServiceSnapshot;
  readonly nowMs: number | null;
}

export function NoStrapYet({ snapshot, nowMs }: NoStrapYetProps) {
  const [person] = snapshot.people;
  const context = {
    connection: snapshot.connection,
    nowMs: nowMs ?? 0,
    silenceMs: websocketService.silenceMs(),
  };
  return (
    <>
      <section className="plain-page">
        <h1>Pair a strap</h1>
        <p>
          Put it on, with the electrodes wet, and close the app that it was last used with. A strap
          talks to one listener at a time.
        </p>
        <div className="two">
          <span className="second">On the machine with Bluetooth</span>
          <code className="code">strapline up</code>
        </div>
      </section>
      {person === undefined
        ? null
        : waysOf(person, context).map((way) => (
            <div className="foot" key={way.key}>
              <Hops way={way} />
            </div>
          ))}
    </>
  );
}

/** Someone has a strap, and nobody has a reading. */
export function FirstReadingNext({ people }: { readonly people: readonly WatchedPerson[] }) {
  const devices = people.flatMap((person) => person.status.hops.devices ?? []);
  const bridges = people.flatMap((person) => person.status.hops.bridges ?? []);
  const online = bridges.find(({ state }) => state === "online");
  const found = devices.find(({ state }) => state !== "searching");
  const worn = devices.find(({ state }) => state === "connected");
  return (
    <section className="plain-page brief">
      <h1>Paired. The first reading comes next</h1>
      <ul className="steps">
        <Step done={online !== undefined} at={online?.sinceMs}>
          {online === undefined ? "Bridge reached" : `${online.name || "Bridge"} reached`}
        </Step>
        <Step done={found !== undefined} at={found?.sinceMs}>
          {found === undefined ? "Strap in range" : `${found.name || "Strap"} found`}
        </Step>
        <Step done={worn !== undefined}>On the body</Step>
        <Step done={false}>First reading</Step>
      </ul>
    </section>
  );
}

interface StepProps {
  readonly done: boolean;
  readonly at?: number | undefined;
  readonly children: ReactNode;
}

function Step({ done, at, children }: StepProps) {
  return (
    <li className={done ? undefined : "todo"}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        {done ? (
          <path d="m2.5 8.5 3.5 3.5 7.5-8" />
        ) : (
          <circle cx="8" cy="8" r="5.5" strokeDasharray=".1 3.4" />
        )}
      </svg>
      <span>
        {children}
        <span className="sr">{done ? ", done" : ", not yet"}</span>
      </span>
      <span className="second">{done && at !== undefined ? clockWithSeconds(at) : ""}</span>
    </li>
  );
}

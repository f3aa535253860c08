// The dashboard's one page: everyone whom the link grants, live, with the age of each figure.
import { type CSSProperties, lazy, Suspense, useEffect } from "react";
import { Bar } from "@/components/bar";
import { AwayNotice } from "@/components/notices/away-notice";
import { FirstReadingNext, NobodyYet, NoStrapYet } from "@/components/notices/first-run";
import { SimulatedBanner } from "@/components/notices/simulated-banner";
import { Stopped } from "@/components/notices/stopped";
import { Channel } from "@/components/people/channel";
import { Legend, TimeAxis } from "@/components/people/time-axis";
import { useLayout } from "@/hooks/use-layout";
import { useServerSecond } from "@/hooks/use-server-second";
import { useView } from "@/hooks/use-view";
import { useWebSocket, useWebSocketSnapshot } from "@/hooks/use-websocket";
import { heartRateOf } from "@/model/person";
import { isEnded } from "@/model/standing";
import { summaryOf } from "@/model/summary";
import { isOnlyTold } from "@/model/told";
import { day } from "@/model/words";
import websocketService, {
  ConnectionStatus,
  type ServiceSnapshot,
  type WatchedPerson,
} from "@/services/websocket-service";

/** Fetched beside the page and not before it: the figures of all do not wait for one's own page. */
const personView = () => import("@/components/person/person-view");
const PersonView = lazy(personView);

export function PeoplePage() {
  useWebSocket({ autoConnect: true, autoReconnect: true });
  const snapshot = useWebSocketSnapshot();
  const nowMs = useServerSecond();
  const [whose, open] = useView();
  const { connection } = snapshot;
  const lost = connection.reason !== null && connection.status !== ConnectionStatus.CONNECTED;
  const stopped = connection.status === ConnectionStatus.STOPPED || isEnded(connection);
  const shown = snapshot.people.find(({ user }) => user === whose)?.name ?? "People";
  const anybody = snapshot.people.length > 0;
  useEffect(() => {
    if (anybody) {
      // Now, and not when a name is pressed: the server may be away then.
      personView().catch(() => console.warn("A person's own page could not be fetched yet."));
    }
  }, [anybody]);
  useTitle(stopped ? "Stopped" : lost ? "Offline" : shown);
  return (
    <>
      <Bar snapshot={snapshot} nowMs={nowMs} />
      {connection.reason !== null && lost && !stopped ? (
        <AwayNotice
          reason={connection.reason}
          lostAtMs={connection.lostAtMs}
          onTryNow={() => websocketService.reconnect()}
        />
      ) : null}
      {connection.simulated ? <SimulatedBanner /> : null}
      <main>
        {connection.reason !== null && stopped ? (
          <Stopped connection={connection} reason={connection.reason} onToken={openLink} />
        ) : (
          <People snapshot={snapshot} nowMs={nowMs} whose={whose} onOpen={open} />
        )}
      </main>
    </>
  );
}

function rowsFor(people: number, columns: number): CSSProperties {
  return { "--rows": Math.ceil(people / columns) } as CSSProperties;
}

/** So few that their figures can be larger on a large screen. */
const FEW = 2;

/** Seen in a tab that is not looked at. */
function useTitle(what: string): void {
  useEffect(() => {
    document.title = `${what} · Strapline`;
  }, [what]);
}

function openLink(token: string): void {
  websocketService.configure({ token });
}

interface PeopleProps {
  readonly snapshot: ServiceSnapshot;
  readonly nowMs: number | null;
  readonly whose: string | null;
  readonly onOpen: (user: string | null) => void;
}

function People(props: PeopleProps) {
  const { snapshot, nowMs, whose, onOpen } = props;
  const { connection } = snapshot;
  const person = snapshot.people.find(({ user }) => user === whose);
  return person === undefined || nowMs === null ? (
    <Everyone {...props} />
  ) : (
    <Suspense fallback={<h1 className="sr">{person.name}</h1>}>
      <PersonView
        key={person.user}
        person={person}
        nowMs={nowMs}
        connected={connection.status === ConnectionStatus.CONNECTED}
        simulated={connection.simulated}
        mayMark={connection.mayMark}
        onLeave={() => onOpen(null)}
      />
    </Suspense>
  );
}

function Everyone({ snapshot, nowMs, onOpen }: PeopleProps) {
  const { connection, people } = snapshot;
  const { layout, columns, tight } = useLayout(people.length);
  const connected = connection.status === ConnectionStatus.CONNECTED;
  if (people.length === 0) {
    return connected ? <NobodyYet /> : <h1 className="sr">Strapline: people</h1>;
  }
  if (!people.some(hasAnything)) {
    return <NoStrapYet snapshot={snapshot} nowMs={nowMs} />;
  }
  const measured = people.filter((person) => !isOnlyTold(person));
  const waiting = measured.length > 0 && !people.some((person) => heartRateOf(person) !== null);
  return (
    <>
      {waiting ? <FirstReadingNext people={measured} /> : null}
      <div
        className="people"
        data-layout={layout}
        data-columns={columns}
        data-tight={tight ? "" : undefined}
        data-few={people.length <= FEW ? "" : undefined}
      >
        <div className="day">
          {nowMs === null ? null : waiting ? <h2>{day(nowMs)}</h2> : <h1>{day(nowMs)}</h1>}
          <p className="second">{summaryOf(people, nowMs, connected)}</p>
        </div>
        <div className="channels" style={rowsFor(people.length, columns)}>
          {people.map((person) => (
            <Channel
              key={person.user}
              person={person}
              nowMs={nowMs}
              connected={connected}
              simulated={connection.simulated}
              compact={layout !== "channel"}
              onOpen={onOpen}
            />
          ))}
        </div>
        {nowMs === null || measured.length === 0 ? null : <Axes nowMs={nowMs} columns={columns} />}
      </div>
      {measured.length === 0 ? null : (
        <footer className="receipt">
          <Legend />
        </footer>
      )}
    </>
  );
}

function Axes({ nowMs, columns }: { readonly nowMs: number; readonly columns: number }) {
  return (
    <div className="axes">
      {Array.from({ length: columns }, (_, column) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: columns have no other identity
        <TimeAxis key={column} nowMs={nowMs} />
      ))}
    </div>
  );
}

function hasAnything(person: WatchedPerson): boolean {
  return (person.status.hops.devices ?? []).length > 0 || Object.keys(person.metrics).length > 0;
}

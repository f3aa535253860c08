// The bar: the mark, the connection's indicator with the way of the readings, the server's clock.
import { asGiven } from "@/components/people/told";
import DataSyncIndicator, { SyncStatus } from "@/components/ui/data-sync-indicator";
import { Hops } from "@/components/ui/hops";
import { BrandMark } from "@/components/ui/mark";
import { waysOf } from "@/model/hops";
import { standingOf } from "@/model/standing";
import { completeThrough } from "@/model/summary";
import { isOnlyTold, toldOf } from "@/model/told";
import { askedWords, clockWithSeconds } from "@/model/words";
import { isSyncResult } from "@/protocol/messages";
import websocketService, {
  ConnectionStatus,
  type ServiceSnapshot,
} from "@/services/websocket-service";

interface BarProps {
  readonly snapshot: ServiceSnapshot;
  readonly nowMs: number | null;
}

export function Bar({ snapshot, nowMs }: BarProps) {
  const { connection, people } = snapshot;
  const standing = standingOf({ connection, people, nowMs, retryInMs: retryIn(connection) });
  const connected = connection.status === ConnectionStatus.CONNECTED;
  const canSync = standing.status !== SyncStatus.ERROR && standing.status !== SyncStatus.CONNECTING;
  return (
    <header className="bar">
      <BrandMark />
      <DataSyncIndicator
        status={standing.status}
        detail={standing.detail}
        spoken={standing.spoken}
        spokenKey={standing.key}
        variant="badge"
        showSyncButton={canSync}
        syncLabel={connected ? "Sync now" : "Try now"}
        onSyncClick={connected ? askForSync : tryNow}
      >
        {nowMs === null ? null : <Ways snapshot={snapshot} nowMs={nowMs} />}
      </DataSyncIndicator>
      {nowMs === null ? null : (
        <time className="clock" dateTime={new Date(nowMs).toISOString()}>
          {clockWithSeconds(nowMs)}
        </time>
      )}
    </header>
  );
}

async function askForSync(): Promise<string | null> {
  const result = await websocketService.request("sync");
  return isSyncResult(result) ? askedWords(result.asked) : null;
}

function tryNow(): void {
  websocketService.reconnect();
}

function retryIn({ retryAtMs }: ServiceSnapshot["connection"]): number | null {
  return retryAtMs === null ? null : Math.max(0, retryAtMs - performance.now());
}

function Ways({ snapshot, nowMs }: { readonly snapshot: ServiceSnapshot; readonly nowMs: number }) {
  const { connection, people } = snapshot;
  const context = { connection, nowMs, silenceMs: websocketService.silenceMs() };
  const through = completeThrough(people);
  return (
    <>
      <ul className="ways">
        {people.map((person) => (
          <li key={person.user}>
            {isOnlyTold(person) ? (
              <div className="whose">
                <h2>{person.name}</h2>
                <p className="ft">{asGiven(toldOf(person)?.atMs ?? nowMs)}</p>
              </div>
            ) : (
              waysOf(person, context).map((way, index) => (
                <div key={way.key} className="of-one">
                  <div className="whose">
                    {index === 0 ? <h2>{person.name}</h2> : null}
                    {way.wearable === null ? null : <p className="ft">{way.wearable}</p>}
                  </div>
                  <Hops way={way} />
                </div>
              ))
            )}
          </li>
        ))}
      </ul>
      {through === null ? null : (
        <p className="ft">Everything up to {clockWithSeconds(through)} is here.</p>
      )}
    </>
  );
}

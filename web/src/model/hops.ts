// The way of a person's readings, hop by hop: strap, bridge, server, this screen.
import type { BridgeHop, DeviceHop } from "@/protocol/messages";
import { Reason } from "@/services/close-codes";
import { type ConnectionState, ConnectionStatus } from "@/services/events";
import type { WatchedPerson } from "@/services/feed";
import { lastDrawn } from "./rate";
import { reasonShort } from "./reason-words";
import { clock, hopAge, readings } from "./words";

/** The grammar of the line: whole, thin while catching up, broken, dotted where unknown. */
export type HopLook = "whole" | "thin" | "broken" | "dark";

export interface Hop {
  readonly look: HopLook;
  /** Its age, or since when it is broken. */
  readonly age: string;
  readonly note: string;
}

export interface Way {
  readonly key: string;
  /** The wearable's own name; null where there is none. */
  readonly wearable: string | null;
  readonly strapQuiet: boolean;
  readonly bridgeQuiet: boolean;
  readonly serverQuiet: boolean;
  readonly you: "live" | "there" | "quiet";
  /** Strap to bridge, bridge to server, server to this screen. */
  readonly hops: readonly [Hop, Hop, Hop];
}

const UNKNOWN: Hop = { look: "dark", age: "not known", note: "" };

export interface WayContext {
  readonly connection: ConnectionState;
  readonly nowMs: number;
  /** Since the last word of the server. */
  readonly silenceMs: number;
}

/** One way for each wearable of a person; one without a wearable where there is none. */
export function waysOf(person: WatchedPerson, context: WayContext): Way[] {
  const { devices = [], bridges = [] } = person.status.hops;
  const connected = context.connection.status === ConnectionStatus.CONNECTED;
  const bridge = bridges.find(({ state }) => state === "online") ?? bridges[0];
  const own: readonly (DeviceHop | undefined)[] = devices.length === 0 ? [undefined] : devices;
  return own.map((device) => {
    const live = connected && person.status.status === "realtime";
    return {
      key: `${person.user} ${device?.device ?? ""}`,
      wearable: ownName(device),
      strapQuiet: !connected || device?.state !== "connected",
      bridgeQuiet: !connected || bridge?.state !== "online",
      serverQuiet: context.connection.reason !== null && !connected,
      you: live ? "live" : connected ? "there" : "quiet",
      hops: [
        connected ? strapHop(device, person, context.nowMs) : UNKNOWN,
        connected ? bridgeHop(bridge, heardMs(person, bridge), context.nowMs) : UNKNOWN,
        lastHop(context),
      ],
    };
  });
}

/** Null where it has no other than what its place on the way is called. */
function ownName(device: DeviceHop | undefined): string | null {
  return device === undefined || device.name === "" || device.name === "Strap" ? null : device.name;
}

/** The way while nobody's readings may be shown. */
export function wayOfNobody(connection: ConnectionState): Way {
  const hidden: Hop = { look: "dark", age: "not shown", note: "" };
  return {
    key: "",
    wearable: null,
    strapQuiet: true,
    bridgeQuiet: true,
    serverQuiet: connection.reason === Reason.NO_LINK,
    you: "quiet",
    hops: [hidden, hidden, lastHop({ connection, silenceMs: 0 })],
  };
}

function strapHop(device: DeviceHop | undefined, person: WatchedPerson, nowMs: number): Hop {
  if (device === undefined) {
    return { look: "dark", age: "none yet", note: "" };
  }
  const since = `since ${clock(device.sinceMs)}`;
  if (device.state !== "connected") {
    const note = device.state === "notWorn" ? "not worn" : "out of range";
    return { look: device.state === "notWorn" ? "whole" : "broken", age: since, note };
  }
  const own = person.line.filter((point) => point.device === device.device);
  const last = lastDrawn(own);
  const contact = own.at(-1)?.contact;
  return {
    look: "whole",
    age: last === undefined ? since : hopAge(nowMs - last.atMs),
    note: contact === true ? "good contact" : contact === false ? "no contact" : "connected",
  };
}

/** A reading that came is a word of the bridge too. */
function heardMs(person: WatchedPerson, bridge: BridgeHop | undefined): number {
  return Math.max(bridge?.heardMs ?? 0, person.line.at(-1)?.receivedMs ?? 0);
}

function bridgeHop(bridge: BridgeHop | undefined, heardAtMs: number, nowMs: number): Hop {
  if (bridge === undefined) {
    return { look: "dark", age: "none yet", note: "" };
  }
  if (bridge.state === "offline") {
    const waiting = bridge.pending === 0 ? "bridge offline" : `${readings(bridge.pending)} waiting`;
    return { look: "broken", age: `since ${clock(bridge.sinceMs)}`, note: waiting };
  }
  return {
    look: bridge.pending > 0 ? "thin" : "whole",
    age: hopAge(nowMs - heardAtMs),
    note: bridge.pending > 0 ? `${readings(bridge.pending)} waiting` : "nothing waiting",
  };
}

function lastHop({ connection, silenceMs }: Omit<WayContext, "nowMs">): Hop {
  if (connection.status === ConnectionStatus.CONNECTED) {
    return { look: "whole", age: hopAge(silenceMs), note: "" };
  }
  if (connection.reason === null) {
    return { look: "dark", age: "connecting", note: "" };
  }
  const since =
    connection.lostAtMs === null ? "not reached" : `since ${clock(connection.lostAtMs)}`;
  return { look: "broken", age: since, note: reasonShort(connection.reason) };
}

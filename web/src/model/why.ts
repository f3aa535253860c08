// Why there is no reading, in words: what the hops or the readings say, what the server accounts for.
import type { Gap } from "@/protocol/messages";
import { Cause } from "@/services/causes";

/** Causes that stand in the readings themselves, and those that claim nothing. */
export enum Missing {
  NO_SIGNAL = "noSignal",
  IMPLAUSIBLE = "implausible",
  FROZEN = "frozen",
  /** There are readings, and none of them was drawn. */
  UNUSABLE = "unusable",
  NO_READING = "noReading",
}

/** Causes that the server has evidence of. */
export enum Told {
  RADIO_LOST = "radioLost",
  BLUETOOTH_AWAY = "bluetoothAway",
  BATTERY_EMPTY = "batteryEmpty",
  BRIDGE_OFF = "bridgeOff",
  BRIDGE_CRASHED = "bridgeCrashed",
  BRIDGE_DOWN = "bridgeDown",
  BRIDGE_ASLEEP = "bridgeAsleep",
  DROPPED = "dropped",
  DISCARDED = "discarded",
  DAMAGED = "damaged",
  REJECTED = "rejected",
  PENDING = "pending",
  ERASED = "erased",
  SILENT = "silent",
  SILENT_LINKED = "silentLinked",
}

/** A cause that only a newer server knows: its own code. */
export type Newer = `code:${string}`;

export type Why = Cause | Missing | Told | Newer;

/** Of a cause whose evidence says more than it does: by `cause/evidence`, else by `cause`. */
const TOLD: Readonly<Record<string, Why>> = {
  erased: Told.ERASED,
  "bridgeDown/stopped": Told.BRIDGE_OFF,
  "bridgeDown/killed": Told.BRIDGE_CRASHED,
  bridgeDown: Told.BRIDGE_DOWN,
  bridgeAsleep: Told.BRIDGE_ASLEEP,
  dropped: Told.DROPPED,
  "dropped/discarded": Told.DISCARDED,
  "dropped/damaged": Told.DAMAGED,
  rejected: Told.REJECTED,
  pending: Told.PENDING,
  radioLost: Told.RADIO_LOST,
  "radioLost/adapterAway": Told.BLUETOOTH_AWAY,
  notWorn: Cause.NOT_WORN,
  off: Told.BATTERY_EMPTY,
  silent: Told.SILENT,
  "silent/linked": Told.SILENT_LINKED,
};

export function whyOf({ cause, evidence }: Pick<Gap, "cause" | "evidence">): Why {
  return TOLD[`${cause}/${evidence ?? ""}`] ?? TOLD[cause] ?? `code:${cause}`;
}

interface Words {
  /** On a plate that is small. */
  readonly short: string;
  /** All of it; null: there is no more. */
  readonly long: string | null;
  /** After a number of people: "2 live, 1 out of range". */
  readonly counted: string;
}

const WORDS: Readonly<Record<Exclude<Why, Newer>, Words>> = {
  [Cause.NOT_WORN]: { short: "not worn", long: null, counted: "not worn" },
  [Cause.OUT_OF_RANGE]: { short: "strap out of range", long: null, counted: "out of range" },
  [Cause.BRIDGE_OFFLINE]: {
    short: "bridge offline",
    long: null,
    counted: "with the bridge offline",
  },
  [Cause.NOT_STORING]: { short: "server cannot store", long: null, counted: "not stored" },
  [Cause.SERVER_AWAY]: { short: "server away", long: null, counted: "cut off, server away" },
  [Cause.SCREEN_OFFLINE]: {
    short: "this screen is offline",
    long: null,
    counted: "cut off, no network here",
  },
  [Missing.NO_SIGNAL]: { short: "no signal", long: null, counted: "without a signal" },
  [Missing.IMPLAUSIBLE]: { short: "readings not plausible", long: null, counted: "not plausible" },
  [Missing.FROZEN]: {
    short: "strap repeats itself",
    long: null,
    counted: "with a strap that repeats itself",
  },
  [Missing.UNUSABLE]: { short: "no usable reading", long: null, counted: "not usable" },
  [Missing.NO_READING]: { short: "no reading", long: null, counted: "silent" },
  [Told.RADIO_LOST]: {
    short: "radio lost",
    long: "radio lost: strap heard, no link",
    counted: "with the radio lost",
  },
  [Told.BLUETOOTH_AWAY]: {
    short: "bridge’s Bluetooth off",
    long: "bridge’s Bluetooth was off",
    counted: "without Bluetooth",
  },
  [Told.BATTERY_EMPTY]: { short: "strap’s battery empty", long: null, counted: "out of battery" },
  [Told.BRIDGE_OFF]: {
    short: "bridge off",
    long: "bridge off: it was stopped",
    counted: "with the bridge off",
  },
  [Told.BRIDGE_CRASHED]: {
    short: "bridge crashed",
    long: "bridge off: it crashed or lost power",
    counted: "with a bridge that crashed",
  },
  [Told.BRIDGE_DOWN]: { short: "bridge off", long: null, counted: "with the bridge off" },
  [Told.BRIDGE_ASLEEP]: { short: "bridge asleep", long: null, counted: "with the bridge asleep" },
  [Told.DROPPED]: {
    short: "dropped, card full",
    long: "readings dropped: the bridge’s card was full",
    counted: "dropped",
  },
  [Told.DISCARDED]: {
    short: "readings discarded",
    long: "readings discarded by hand on the bridge",
    counted: "discarded",
  },
  [Told.DAMAGED]: {
    short: "readings damaged",
    long: "readings damaged on the bridge’s card",
    counted: "damaged",
  },
  [Told.REJECTED]: {
    short: "readings refused",
    long: "readings refused by the server",
    counted: "refused",
  },
  [Told.PENDING]: {
    short: "still coming",
    long: "still coming: waiting on the bridge",
    counted: "still to come",
  },
  [Told.ERASED]: { short: "erased", long: null, counted: "erased" },
  [Told.SILENT]: {
    short: "silent",
    long: "silent: off, asleep or out of range",
    counted: "silent",
  },
  [Told.SILENT_LINKED]: {
    short: "strap silent",
    long: "strap connected, but silent",
    counted: "silent",
  },
};

/** "strap out of range", "silent": few words, for a plate. */
export function whyWords(why: Why): string {
  return wordsOf(why).short;
}

/** "silent: off, asleep or out of range". */
export function whyLong(why: Why): string {
  const { short, long } = wordsOf(why);
  return long ?? short;
}

/** After a number of people: "2 live, 1 out of range". */
export function whyCounted(why: Why): string {
  return wordsOf(why).counted;
}

function wordsOf(why: Why): Words {
  return isNewer(why) ? ofCode(why.slice("code:".length)) : WORDS[why];
}

function isNewer(why: Why): why is Newer {
  return why.startsWith("code:");
}

/** "solarStorm" is "solar storm". */
function ofCode(code: string): Words {
  const words = code.replace(/([a-z0-9])([A-Z])/g, "$1 $2").replace(/[_-]+/g, " ");
  const short = words.trim().toLowerCase();
  return { short, long: null, counted: `with cause “${short}”` };
}

// What a closed connection means: come back when, or stop and say why.

export enum CloseCode {
  GOING_AWAY = 1001,
  LOST = 1006,
  RESTART = 1012,
  OVERLOADED = 1013,
  PROTOCOL_VIOLATION = 4400,
  TOKEN_REFUSED = 4401,
  NOT_ALLOWED = 4403,
  NOT_IN_TIME = 4408,
  RATE_LIMITED = 4429,
  NO_COMMON_VERSION = 4426,
}

/** Why there is no session, in the words that the page has for it. */
export enum Reason {
  SERVER_AWAY = "serverAway",
  SERVER_RESTARTS = "serverRestarts",
  SERVER_BUSY = "serverBusy",
  NO_NETWORK = "noNetwork",
  NO_LINK = "noLink",
  LINK_ENDED = "linkEnded",
  LINK_REFUSED = "linkRefused",
  LINK_REVOKED = "linkRevoked",
  BUG = "bug",
  UPGRADE_SERVER = "upgradeServer",
  UPGRADE_PAGE = "upgradePage",
}

export type Aftermath =
  /** Nothing that this page can do will help; a person must. */
  | { readonly kind: "stop"; readonly reason: Reason }
  /** Backing off, on top of what the server asked for. */
  | { readonly kind: "backOff"; readonly atLeastMs: number; readonly reason: Reason }
  /** Come back at this moment; backing off after that. */
  | { readonly kind: "after"; readonly delayMs: number; readonly reason: Reason }
  /** Once with a new token, at once; without one, or the second time, backing off. */
  | { readonly kind: "newToken"; readonly reason: Reason };

export interface Circumstances {
  /** What is left of the moment that `GOING_AWAY` gave, if it came. */
  readonly goingAwayMs: number | null;
  readonly reconnectSpreadMs: number;
  /** The versions of `HELLO`, if it came. */
  readonly serverVersions: readonly string[] | null;
  readonly random: () => number;
}

/** As the protocol's `reason_text` writes it. */
const RETRY_AFTER = /retry after (\d+) ms/;
/** As the server says it of a token that was good; one that it cannot read says otherwise. */
const EXPIRED = /expired/;
/** A server that asks for more has made a mistake, and a screen does not go dark over it. */
export const LONGEST_ASKED_MS = 120_000;

export function aftermath(code: number, text: string, about: Circumstances): Aftermath {
  switch (code) {
    case CloseCode.GOING_AWAY:
    case CloseCode.RESTART:
      return {
        kind: "after",
        delayMs: about.goingAwayMs ?? Math.round(about.random() * about.reconnectSpreadMs),
        reason: Reason.SERVER_RESTARTS,
      };
    case CloseCode.OVERLOADED:
    case CloseCode.RATE_LIMITED:
      return { kind: "backOff", atLeastMs: askedMs(text), reason: Reason.SERVER_BUSY };
    case CloseCode.PROTOCOL_VIOLATION:
      return { kind: "stop", reason: Reason.BUG };
    case CloseCode.TOKEN_REFUSED:
      return { kind: "newToken", reason: refusedLink(text) };
    case CloseCode.NOT_ALLOWED:
      return { kind: "stop", reason: Reason.LINK_REVOKED };
    case CloseCode.NO_COMMON_VERSION:
      return { kind: "stop", reason: whoIsBehind(about.serverVersions) };
    default:
      // A server that is lost while it drains has said when to come back all the same.
      return code === CloseCode.LOST && about.goingAwayMs !== null
        ? { kind: "after", delayMs: about.goingAwayMs, reason: Reason.SERVER_AWAY }
        : { kind: "backOff", atLeastMs: 0, reason: Reason.SERVER_AWAY };
  }
}

/** Without a word it is what links come to in the end. */
function refusedLink(text: string): Reason {
  return text === "" || EXPIRED.test(text) ? Reason.LINK_ENDED : Reason.LINK_REFUSED;
}

/** For how long the server asks to stay away; 0 where the reason does not say. */
function askedMs(text: string): number {
  return Math.min(LONGEST_ASKED_MS, Number(RETRY_AFTER.exec(text)?.[1] ?? 0));
}

export const SUBPROTOCOL = "strapline.v1";

const VERSION = /^strapline\.v(\d+)$/;

/** The page comes with the server, so that a page left open is the usual one to be behind. */
function whoIsBehind(serverVersions: readonly string[] | null): Reason {
  const numbers = [...(serverVersions ?? [])].flatMap(versionNumber);
  const [own = 0] = versionNumber(SUBPROTOCOL);
  const serverIsOlder = numbers.length > 0 && Math.max(...numbers) < own;
  return serverIsOlder ? Reason.UPGRADE_SERVER : Reason.UPGRADE_PAGE;
}

function versionNumber(version: string): number[] {
  const number = VERSION.exec(version)?.[1];
  return number === undefined ? [] : [Number(number)];
}

// Why there is no session, in words: short for the indicator, whole for the page.
import { Reason } from "@/services/close-codes";

interface Words {
  readonly short: string;
  readonly title: string;
  /** What to do. */
  readonly remedy: string;
}

const KEEP_RECORDING = "Bridges that still run keep recording; their readings come later.";

const WORDS: Readonly<Record<Reason, Words>> = {
  [Reason.SERVER_AWAY]: {
    short: "server away",
    title: "The server is away",
    remedy: KEEP_RECORDING,
  },
  [Reason.SERVER_RESTARTS]: {
    short: "server restarting",
    title: "The server is restarting",
    remedy: KEEP_RECORDING,
  },
  [Reason.SERVER_BUSY]: {
    short: "server busy",
    title: "The server has too much to do",
    remedy: "This page comes back as soon as the server allows it.",
  },
  [Reason.NO_NETWORK]: {
    short: "no network here",
    title: "This screen has no network",
    remedy: "Bridges that still run keep recording; their readings come when the network is back.",
  },
  [Reason.NO_LINK]: {
    short: "no link",
    title: "This page opens with a link",
    remedy:
      "Paste the link that `strapline up` or `strapline demo` printed, or that somebody gave you, or scan its QR code.",
  },
  [Reason.LINK_ENDED]: {
    short: "link expired",
    title: "This link no longer holds",
    remedy: "It has expired. Ask for a new one and open it here.",
  },
  [Reason.LINK_REFUSED]: {
    short: "link not whole",
    title: "This link cannot be read here",
    remedy:
      "Most likely it was cut when it was copied: copy the whole of it, to its last letter. Or it belongs to another server: ask for a new one.",
  },
  [Reason.LINK_REVOKED]: {
    short: "link revoked",
    title: "This link was revoked",
    remedy: "What it showed left this screen at that moment. Ask for a new one and open it here.",
  },
  [Reason.BUG]: {
    short: "not understood",
    title: "Server and page do not understand each other",
    remedy: "This is a fault of Strapline. Reload the page; if it comes back, please report it.",
  },
  [Reason.UPGRADE_SERVER]: {
    short: "server too old",
    title: "The server is older than this page",
    remedy: "Upgrade Strapline on the server, then reload this page.",
  },
  [Reason.UPGRADE_PAGE]: {
    short: "page too old",
    title: "This page is older than the server",
    remedy: "Reload the page to get the one that belongs to the server.",
  },
};

/** "link revoked". */
export function reasonShort(reason: Reason): string {
  return WORDS[reason].short;
}

export function reasonTitle(reason: Reason): string {
  return WORDS[reason].title;
}

export function reasonRemedy(reason: Reason): string {
  return WORDS[reason].remedy;
}

// What the browser tells of the page's life: network, sleep, hiding, a new link.

export interface PageHost {
  /** The network came or went, as far as the browser knows. */
  network(online: boolean): void;
  /** The page is looked at again, after having been hidden or frozen; its timers stood still. */
  woke(): void;
  /** The page goes, perhaps into the browser's cache of pages. */
  left(): void;
  /** The address got another fragment: perhaps another link. */
  linked(): void;
}

/** Listens until the returned function is called. */
export function watchPage(host: PageHost): () => void {
  const listeners: readonly [EventTarget, string, () => void][] = [
    [window, "online", () => host.network(true)],
    [window, "offline", () => host.network(false)],
    [window, "pagehide", () => host.left()],
    [window, "pageshow", () => host.woke()],
    [document, "resume", () => host.woke()],
    [window, "hashchange", () => host.linked()],
    [
      document,
      "visibilitychange",
      () => {
        if (document.visibilityState === "visible") {
          host.woke();
        }
      },
    ],
  ];
  for (const [target, type, listener] of listeners) {
    target.addEventListener(type, listener);
  }
  return () => {
    for (const [target, type, listener] of listeners) {
      target.removeEventListener(type, listener);
    }
  };
}

/** A browser's word that there is no network says nothing of a server on the same machine. */
export function isOnThisMachine(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname === "[::1]" || /^127\./.test(hostname);
}

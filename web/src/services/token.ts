// The access token: taken out of the page's link, kept for this tab alone.

const STORAGE_KEY = "strapline.token";
const PARAMETER = "token";

export interface LinkedPage {
  readonly location: Pick<Location, "hash" | "pathname" | "search">;
  readonly history: Pick<History, "replaceState" | "state">;
  /** Null where the browser keeps nothing for a page (a sandboxed frame). */
  readonly storage: Pick<Storage, "getItem" | "setItem" | "removeItem"> | null;
}

export class TokenKeeper {
  #token: string | null = null;

  constructor(private readonly page: LinkedPage) {}

  /**
   * The token of the link's fragment, if there is one, else the one that this tab holds.
   * A token in the fragment leaves the address bar, and the history entry, at once.
   */
  take(): string | null {
    const linked = this.#takeFromLink();
    if (linked !== null) {
      this.keep(linked);
    }
    this.#token ??= this.page.storage?.getItem(STORAGE_KEY) ?? null;
    return this.#token;
  }

  keep(token: string): void {
    this.#token = token;
    try {
      this.page.storage?.setItem(STORAGE_KEY, token);
    } catch (error) {
      // Storage that is full or forbidden costs a reload its token, never this session.
      console.warn("The token could not be kept for this tab; a reload will need the link.", error);
    }
  }

  forget(): void {
    this.#token = null;
    this.page.storage?.removeItem(STORAGE_KEY);
  }

  #takeFromLink(): string | null {
    const { location, history } = this.page;
    const fragment = new URLSearchParams(location.hash.replace(/^#/, ""));
    const token = fragment.get(PARAMETER);
    if (token === null) {
      return null;
    }
    fragment.delete(PARAMETER);
    const rest = fragment.toString();
    history.replaceState(
      history.state,
      "",
      location.pathname + location.search + (rest === "" ? "" : `#${rest}`),
    );
    return token === "" ? null : token;
  }
}

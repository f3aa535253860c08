// Where a connection's token comes from: kept from the link, or asked of the application, once.
import type { TokenKeeper } from "./token";

export type GetToken = () => Promise<string>;

export class TokenSource {
  #asked = false;

  constructor(
    private readonly keeper: TokenKeeper,
    private readonly getToken: () => GetToken | null,
  ) {}

  /** The one to use now; null where there is none. */
  current(): string | null {
    return this.keeper.take();
  }

  keep(token: string): void {
    this.keeper.keep(token);
  }

  forget(): void {
    this.keeper.forget();
  }

  /** Whether there is an application to ask. */
  get hasApplication(): boolean {
    return this.getToken() !== null;
  }

  /** Whether the application can be asked, and gave none since the last session that worked. */
  get canAsk(): boolean {
    return this.hasApplication && !this.#asked;
  }

  /** A session works: the next refusal may ask again. */
  worked(): void {
    this.#asked = false;
  }

  /** Resolves with a new token, which is kept; null where the application has none. */
  async ask(): Promise<string | null> {
    const getToken = this.getToken();
    if (getToken === null) {
      return null;
    }
    try {
      const token = await getToken();
      this.#asked = true;
      this.keep(token);
      return token;
    } catch (error) {
      console.warn("The application has no new token.", error);
      return null;
    }
  }
}

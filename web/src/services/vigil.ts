// What a link listens to while it is wanted: the page's life, the passing seconds, sleep.
import { SleepWatch } from "./clock";
import { type PageHost, watchPage } from "./page";

export interface VigilHost extends PageHost {
  second(): void;
  /** The machine slept for about so long. */
  slept(durationMs: number): void;
}

const SECOND_MS = 1_000;

export class Vigil {
  #sleep = new SleepWatch();
  #end: (() => void) | null = null;

  constructor(private readonly host: VigilHost) {}

  get isKept(): boolean {
    return this.#end !== null;
  }

  begin(): void {
    // What was slept while nothing was wanted is nothing to wake from.
    this.#sleep = new SleepWatch();
    const unwatch = watchPage({
      network: (online) => this.host.network(online),
      left: () => this.host.left(),
      linked: () => this.host.linked(),
      woke: () => {
        this.#look();
        this.host.woke();
      },
    });
    const seconds = setInterval(() => {
      this.#look();
      this.host.second();
    }, SECOND_MS);
    this.#end = () => {
      unwatch();
      clearInterval(seconds);
    };
  }

  end(): void {
    this.#end?.();
    this.#end = null;
  }

  #look(): void {
    const sleptMs = this.#sleep.look(Date.now(), performance.now());
    if (sleptMs > 0) {
      this.host.slept(sleptMs);
    }
  }
}

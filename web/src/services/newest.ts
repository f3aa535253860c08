// One task under way at a time; of those that wait for it, only the newest.

type Task = () => Promise<void>;

export class Newest {
  #waiting: Task | null = null;
  #running = false;

  /** Begins it now, or when the one under way is over. Returns what withdraws it until then. */
  begin(task: Task): () => void {
    this.#waiting = task;
    void this.#run();
    return () => {
      if (this.#waiting === task) {
        this.#waiting = null;
      }
    };
  }

  async #run(): Promise<void> {
    if (this.#running) {
      return;
    }
    this.#running = true;
    try {
      for (let task = this.#take(); task !== null; task = this.#take()) {
        await task();
      }
    } finally {
      this.#running = false;
    }
  }

  #take(): Task | null {
    const task = this.#waiting;
    this.#waiting = null;
    return task;
  }
}

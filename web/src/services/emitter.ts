// A registry of listeners: one that throws neither stops the others nor the caller.

export type Unsubscribe = () => void;

export class Emitter<Type, Arguments extends unknown[]> {
  readonly #listeners = new Map<Type, Set<(...values: Arguments) => void>>();

  add(type: Type, listener: (...values: Arguments) => void): Unsubscribe {
    let listeners = this.#listeners.get(type);
    if (listeners === undefined) {
      listeners = new Set();
      this.#listeners.set(type, listeners);
    }
    listeners.add(listener);
    return () => this.remove(type, listener);
  }

  remove(type: Type, listener: (...values: Arguments) => void): void {
    this.#listeners.get(type)?.delete(listener);
  }

  emit(type: Type, ...values: Arguments): void {
    // A copy: a listener may remove itself, or add another, while it is called.
    for (const listener of [...(this.#listeners.get(type) ?? [])]) {
      try {
        listener(...values);
      } catch (error) {
        console.error("A listener threw.", error);
      }
    }
  }
}

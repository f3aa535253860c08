// A fault of the page itself: said, and a way out, in place of an empty screen.
import { Component, type ReactNode } from "react";

interface CrashProps {
  readonly children: ReactNode;
}

export class Crash extends Component<CrashProps, { readonly failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render(): ReactNode {
    if (!this.state.failed) {
      return this.props.children;
    }
    return (
      <main>
        <section className="plain-page" role="alert">
          <h1>This page has failed</h1>
          <p>
            The readings are safe: it is only the screen. Reload it, and if it fails again, please
            report what the browser's console says.
          </p>
          <div className="two">
            <button type="button" className="button first" onClick={() => location.reload()}>
              Reload
            </button>
          </div>
        </section>
      </main>
    );
  }
}

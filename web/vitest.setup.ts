// Before every test file: what jsdom lacks, and an empty document after each test.
import { cleanup } from "@testing-library/react";
import { afterEach } from "vitest";

// uPlot asks for the pixel ratio's media query when it is imported.
window.matchMedia ??= (media: string): MediaQueryList =>
  Object.assign(new EventTarget(), {
    media,
    matches: false,
    onchange: null,
    addListener: () => undefined,
    removeListener: () => undefined,
  });

afterEach(cleanup);

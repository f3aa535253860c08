import { beforeEach, expect, test, vi } from "vitest";
import { type LinkedPage, TokenKeeper } from "../token";

function page(hash: string, stored: Record<string, string> = {}) {
  const items = new Map(Object.entries(stored));
  const replaced: string[] = [];
  const made: LinkedPage = {
    location: { hash, pathname: "/", search: "" },
    history: {
      state: null,
      replaceState: (_state: unknown, _title: string, url?: string | URL | null) => {
        replaced.push(String(url));
      },
    },
    storage: {
      getItem: (key: string) => items.get(key) ?? null,
      setItem: (key: string, value: string) => {
        items.set(key, value);
      },
      removeItem: (key: string) => {
        items.delete(key);
      },
    },
  };
  return { made, items, replaced };
}

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
});

test("the link's token goes into the tab and out of the address bar", () => {
  const { made, items, replaced } = page("#token=a.b.c");
  expect(new TokenKeeper(made).take()).toBe("a.b.c");
  expect(items.get("strapline.token")).toBe("a.b.c");
  expect(replaced).toEqual(["/"]);
});

test("other parts of the fragment stay", () => {
  const { made, replaced } = page("#view=wall&token=a.b.c");
  new TokenKeeper(made).take();
  expect(replaced).toEqual(["/#view=wall"]);
});

test("a reload finds it in the tab", () => {
  expect(new TokenKeeper(page("", { "strapline.token": "kept" }).made).take()).toBe("kept");
});

test("an empty token is none", () => {
  const { made, replaced } = page("#token=");
  expect(new TokenKeeper(made).take()).toBeNull();
  expect(replaced).toEqual(["/"]);
});

test("forgotten, it is nowhere", () => {
  const { made, items } = page("#token=a.b.c");
  const keeper = new TokenKeeper({ ...made, location: { ...made.location } });
  keeper.keep("x");
  keeper.forget();
  expect(items.size).toBe(0);
});

test("a browser that keeps nothing costs only the reload", () => {
  const { made } = page("#token=a.b.c");
  expect(new TokenKeeper({ ...made, storage: null }).take()).toBe("a.b.c");
  const full = {
    getItem: () => null,
    removeItem: () => undefined,
    setItem: () => {
      throw new DOMException("full", "QuotaExceededError");
    },
  };
  expect(new TokenKeeper({ ...made, storage: full }).take()).toBe("a.b.c");
});

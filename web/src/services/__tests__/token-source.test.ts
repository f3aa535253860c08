import { expect, test, vi } from "vitest";
import { TokenKeeper } from "../token";
import { type GetToken, TokenSource } from "../token-source";

function source(getToken: GetToken | null) {
  const location = { hash: "", pathname: "/", search: "" };
  const history = { state: null, replaceState: () => undefined };
  return new TokenSource(new TokenKeeper({ location, history, storage: null }), () => getToken);
}

test("without an application there is what was kept, or nothing", async () => {
  const tokens = source(null);
  expect(tokens.current()).toBeNull();
  expect(tokens.canAsk).toBe(false);
  expect(await tokens.ask()).toBeNull();
  tokens.keep("a");
  expect(tokens.current()).toBe("a");
  tokens.forget();
  expect(tokens.current()).toBeNull();
});

test("the application is asked once, until a session works", async () => {
  const tokens = source(() => Promise.resolve("b"));
  expect(tokens.canAsk).toBe(true);
  expect(await tokens.ask()).toBe("b");
  expect(tokens.current()).toBe("b");
  expect(tokens.canAsk).toBe(false);
  tokens.worked();
  expect(tokens.canAsk).toBe(true);
});

test("an application that fails has none, and that is said", async () => {
  const complaint = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const tokens = source(() => Promise.reject(new Error("signed out")));
  expect(await tokens.ask()).toBeNull();
  expect(complaint).toHaveBeenCalledOnce();
});

import { fireEvent, render, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { connection } from "@/model/__tests__/people-of";
import { Reason } from "@/services/close-codes";
import { ConnectionStatus } from "@/services/websocket-service";
import { Stopped } from "../stopped";

function stopped(reason: Reason) {
  const onToken = vi.fn();
  const state = connection({ status: ConnectionStatus.STOPPED, reason });
  render(<Stopped connection={state} reason={reason} onToken={onToken} />);
  return onToken;
}

test("a link can be brought", () => {
  const onToken = stopped(Reason.LINK_REVOKED);
  expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("This link was revoked");
  const input = screen.getByLabelText("Paste the link");
  fireEvent.change(input, { target: { value: "not a link" } });
  fireEvent.click(screen.getByRole("button", { name: "Open" }));
  expect(onToken).not.toHaveBeenCalled();
  expect(screen.getByRole("alert").textContent).toContain("no #token=");
  expect(input.getAttribute("aria-invalid")).toBe("true");
  fireEvent.change(input, { target: { value: "http://127.0.0.1:8420/#token=a.b.c" } });
  fireEvent.click(screen.getByRole("button", { name: "Open" }));
  expect(onToken).toHaveBeenCalledWith("a.b.c");
  expect(screen.queryByRole("alert")).toBeNull();
});

test("a link is hidden until whoever typed it wants to see it", () => {
  stopped(Reason.NO_LINK);
  const input = screen.getByLabelText<HTMLInputElement>("Paste the link");
  expect(input.type).toBe("password");
  const show = screen.getByRole("checkbox", { name: "Show it" });
  fireEvent.click(show);
  expect(input.type).toBe("text");
  fireEvent.click(show);
  expect(input.type).toBe("password");
});

test("without a link it says which commands print one", () => {
  stopped(Reason.NO_LINK);
  const commands = [...document.querySelectorAll("code")].map((one) => one.textContent);
  expect(commands).toEqual(["strapline up", "strapline demo"]);
  expect(document.body.textContent).toContain("strapline up or strapline demo printed");
});

test.each([Reason.BUG, Reason.UPGRADE_PAGE, Reason.UPGRADE_SERVER])("%s: a reload", (reason) => {
  stopped(reason);
  expect(screen.getByRole("button", { name: "Reload" })).toBeDefined();
  expect(screen.queryByRole("textbox")).toBeNull();
});

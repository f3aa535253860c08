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

test.each([Reason.BUG, Reason.UPGRADE_PAGE, Reason.UPGRADE_SERVER])("%s: a reload", (reason) => {
  stopped(reason);
  expect(screen.getByRole("button", { name: "Reload" })).toBeDefined();
  expect(screen.queryByRole("textbox")).toBeNull();
});

import { expect, test } from "vitest";
import { tokenOf } from "../link-text";

test.each([
  ["http://192.168.1.5:8420/#token=aa.bb.cc", "aa.bb.cc"],
  ["  https://s.example/#view=x&token=aa.bb.cc \n", "aa.bb.cc"],
  ["#token=aa.bb.cc", "aa.bb.cc"],
  ["aa.bb-_.cc", "aa.bb-_.cc"],
])("%s", (text, token) => {
  expect(tokenOf(text)).toBe(token);
});

test.each(["", "hello", "http://192.168.1.5:8420/", "http://x/#token=", "#view=wall", "a.b c.d"])(
  "%j is no link",
  (text) => {
    expect(tokenOf(text)).toBeNull();
  },
);

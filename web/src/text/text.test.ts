import { describe, expect, it } from "vitest";
import { decodeBase64Text, encodeBase64 } from "./base64";
import { parseInstant, utcInstant } from "./instants";
import {
  brief,
  briefPayload,
  jsonProblem,
  membersOf,
  parsePayload,
  pretty,
  untyped,
} from "./payloads";
import { bytes, counted, utf8Bytes } from "./sizes";
import { relative, span } from "./spans";

describe("span", () => {
  it.each([
    [0, "0 ms"],
    [999.4, "999 ms"],
    [1_000, "1 s"],
    [4_250, "4.25 s"],
    [59_949, "59.9 s"],
    [59_960, "1 m"],
    [200_000, "3 m 20 s"],
    [3_600_000, "1 h"],
    [3_605_000, "1 h"],
    [187_200_000, "2 d 4 h"],
    [-5_000, "-5 s"],
    [Number.NaN, "-"],
  ])("says %d ms as %s", (ms, text) => expect(span(ms)).toBe(text));

  it("says how far away an instant is", () => {
    expect(relative(10_000, 10_500)).toBe("now");
    expect(relative(10_000, 15_300)).toBe("5 s ago");
    expect(relative(190_000, 10_000)).toBe("in 3 m");
  });
});

describe("sizes", () => {
  it.each([
    [1, "1 byte"],
    [1_023, "1023 bytes"],
    [1_536, "1.5 KB"],
    [12 * 1_048_576, "12 MB"],
  ])("says %d bytes as %s", (count, text) => expect(bytes(count)).toBe(text));

  it("counts bytes of UTF-8, and nouns", () => {
    expect(utf8Bytes("太郎")).toBe(6);
    expect([counted(1, "item"), counted(1_200, "item")]).toEqual(["1 item", "1,200 items"]);
  });
});

describe("payloads", () => {
  it("tells JSON from text", () => {
    expect(parsePayload("[1]")).toEqual({ isJson: true, value: [1] });
    expect(parsePayload("hello")).toEqual({ isJson: false, value: "hello" });
    expect(pretty('{"a":1}')).toBe('{\n  "a": 1\n}');
    expect(jsonProblem("")).toBeNull();
    expect(jsonProblem("{")).toMatch(/^this is not JSON/);
    expect(membersOf({ a: [1] })).toEqual([["a", [1]]]);
    expect(membersOf("a")).toBeNull();
    expect(brief("a\n  b", 3)).toBe("a b");
    expect(brief("abcdef", 4)).toBe("abc…");
  });

  it("shows a typed value as the handler sees it", () => {
    const typed = { t: "m", v: { a: { t: "l", v: [{ t: "i", v: 1 }] }, b: { t: "n", v: null } } };
    expect(untyped(typed)).toEqual({ value: { a: [1], b: null } });
    expect(untyped({ t: "s", v: "x", w: 1 })).toBeNull();
    expect(untyped({ t: "table", v: [] })).toBeNull();
    expect(untyped(null)).toBeNull();
    expect(briefPayload(JSON.stringify(typed))).toBe('{"a":[1],"b":null}');
    expect(briefPayload("plain")).toBe("plain");
  });

  it("keeps text through base64", () => {
    const text = "ようこそ <script>";
    expect(decodeBase64Text(encodeBase64(new TextEncoder().encode(text)))).toBe(text);
  });
});

describe("instants", () => {
  it("reads what it writes", () => {
    expect(parseInstant(utcInstant(1_764_000_000_123))).toBe(1_764_000_000_123);
    expect(parseInstant("nonsense")).toBeNull();
  });
});

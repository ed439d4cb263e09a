/** Payloads: text that is most often JSON. Pure. */

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

export interface ParsedPayload {
  readonly isJson: boolean;
  readonly value: Json;
}

/** Returns the JSON in `text`, or the text itself where it is none. */
export function parsePayload(text: string): ParsedPayload {
  try {
    return { isJson: true, value: JSON.parse(text) as Json };
  } catch {
    return { isJson: false, value: text };
  }
}

/** Returns the JSON in `text` with two blanks for each level, or the text as it is. */
export function pretty(text: string): string {
  const parsed = parsePayload(text);
  return parsed.isJson ? JSON.stringify(parsed.value, null, 2) : text;
}

/** Returns why `text` is no JSON, or null if it is; nothing at all stands for null. */
export function jsonProblem(text: string): string | null {
  if (text.trim() === "") return null;
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    return `this is not JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Returns a value in a few words: for a line in a table. */
export function brief(text: string, lengthMax = 80): string {
  const flat = text.replace(/\s+/g, " ").trim();
  return flat.length <= lengthMax ? flat : `${flat.slice(0, lengthMax - 1)}…`;
}

/** Returns the members of an object or a list, or null where the value has none. */
export function membersOf(value: Json): readonly (readonly [string, Json])[] | null {
  if (Array.isArray(value)) return value.map((item, at) => [String(at), item as Json] as const);
  if (value !== null && typeof value === "object") return Object.entries(value);
  return null;
}

const TAGS = /^(n|s|i|f|b|B|u|d|dt|D|t|l|m|br|py:[a-z]+)$/;

/**
 * Returns what a handler sees of a value that an SDK wrote with its types: `{"t": "s", "v": "a"}`
 * is "a". Returns null where the value is not written so.
 *
 * Source: AWS's Python SDK, its default serialization; ours writes the same.
 */
export function untyped(value: Json): { readonly value: Json } | null {
  if (!isTyped(value)) return null;
  return { value: bare(value) };
}

function isTyped(value: Json): value is { readonly t: string; readonly v: Json } {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
  const members = value as { readonly [key: string]: Json };
  const isPair = Object.keys(members).length === 2 && "v" in members;
  return isPair && typeof members.t === "string" && TAGS.test(members.t);
}

function bare(value: Json): Json {
  if (!isTyped(value)) return value;
  const inner = value.v;
  if (Array.isArray(inner)) return inner.map((item: Json) => bare(item));
  if (inner !== null && typeof inner === "object") {
    return Object.fromEntries(Object.entries(inner).map(([key, item]) => [key, bare(item)]));
  }
  return inner;
}

/** Returns a payload in a few words, without the types that an SDK wrote into it. */
export function briefPayload(text: string, lengthMax = 80): string {
  const parsed = parsePayload(text);
  const plain = parsed.isJson ? untyped(parsed.value) : null;
  return brief(plain ? JSON.stringify(plain.value) : text, lengthMax);
}

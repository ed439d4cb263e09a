/** Messages at the top of the page: what was done, and what went wrong. */

import { useSyncExternalStore } from "react";

export interface Flash {
  readonly id: string;
  readonly type: "success" | "error" | "info" | "warning" | "in-progress";
  readonly header: string;
  readonly content?: string;
  /** Below the content: what went wrong, one line each. */
  readonly details?: readonly string[];
  /** 0 to 100 while it is under way. */
  readonly progress?: number;
  readonly link?: { readonly text: string; readonly place: string };
}

const SHOWN_MAX = 8;
let flashes: readonly Flash[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

/** Shows a message; returns its id, with which it can be changed. */
export function showFlash(flash: Omit<Flash, "id">, id = `flash-${++lastId}`): string {
  const next = { ...flash, id };
  const isKnown = flashes.some((one) => one.id === id);
  flashes = isKnown
    ? flashes.map((one) => (one.id === id ? next : one))
    : [next, ...flashes].slice(0, SHOWN_MAX);
  tell();
  return id;
}

/** Shows what went wrong while trying to do `what`. */
export function showError(what: string, error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  showFlash({ type: "error", header: what, content: text });
}

export function dismissFlash(id: string): void {
  flashes = flashes.filter((one) => one.id !== id);
  tell();
}

export function useFlashes(): readonly Flash[] {
  return useSyncExternalStore(subscribe, () => flashes);
}

function tell(): void {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

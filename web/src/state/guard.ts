/** Keeps a person from leaving a page with unsaved changes by accident. */

import { useEffect, useSyncExternalStore } from "react";
import { navigate as browserNavigate, useBrowserLocation } from "wouter/use-browser-location";

type Navigate = typeof browserNavigate;

let blockers = 0;
let pending: (() => void) | null = null;
const listeners = new Set<() => void>();

/** While `isDirty`, leaving asks first. */
export function useUnsavedChanges(isDirty: boolean): void {
  useEffect(() => {
    if (!isDirty) return;
    blockers += 1;
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => {
      blockers -= 1;
      window.removeEventListener("beforeunload", ask);
    };
  }, [isDirty]);
}

/** The router's way to read and change the address; it asks where something is unsaved. */
export function useGuardedLocation(): [string, Navigate] {
  const [location] = useBrowserLocation();
  return [location, guardedNavigate];
}

/** Returns what waits for the person's answer, or null. */
export function usePendingDeparture(): (() => void) | null {
  return useSyncExternalStore(subscribe, () => pending);
}

/** Leaves, or stays. */
export function answerDeparture(isLeaving: boolean): void {
  const leave = pending;
  setPending(null);
  if (isLeaving) leave?.();
}

const guardedNavigate: Navigate = (to, options) => {
  const target = new URL(String(to), window.location.href).pathname;
  if (blockers === 0 || target === window.location.pathname) {
    browserNavigate(to, options);
    return;
  }
  setPending(() => browserNavigate(to, options));
};

function setPending(next: (() => void) | null): void {
  pending = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

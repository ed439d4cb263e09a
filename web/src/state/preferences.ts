/** How a person wants the console to look: kept in this browser. */

import { applyDensity, applyMode, Density, Mode } from "@cloudscape-design/global-styles";
import { useSyncExternalStore } from "react";

export interface Preferences {
  readonly mode: "light" | "dark" | "system";
  readonly density: "comfortable" | "compact";
}

const KEY = "perdure.console.preferences";
const DEFAULTS: Preferences = { mode: "system", density: "comfortable" };

const listeners = new Set<() => void>();
const darkSystem = window.matchMedia("(prefers-color-scheme: dark)");
let current = read();

/** Applies what was kept, and follows the system from now on. */
export function startPreferences(): void {
  darkSystem.addEventListener("change", apply);
  apply();
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(subscribe, () => current);
}

/** Tells whether the page is dark now. */
export function useIsDark(): boolean {
  return useSyncExternalStore(subscribe, isDark);
}

export function setPreferences(change: Partial<Preferences>): void {
  current = { ...current, ...change };
  try {
    window.localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // A browser that keeps nothing shows the choice until the page is closed.
  }
  apply();
}

function isDark(): boolean {
  return current.mode === "dark" || (current.mode === "system" && darkSystem.matches);
}

function apply(): void {
  applyMode(isDark() ? Mode.Dark : Mode.Light);
  applyDensity(current.density === "compact" ? Density.Compact : Density.Comfortable);
  document.documentElement.style.colorScheme = isDark() ? "dark" : "light";
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function read(): Preferences {
  try {
    const kept = JSON.parse(window.localStorage.getItem(KEY) ?? "{}") as Partial<Preferences>;
    return {
      mode: kept.mode === "light" || kept.mode === "dark" ? kept.mode : DEFAULTS.mode,
      density: kept.density === "compact" ? "compact" : DEFAULTS.density,
    };
  } catch {
    return DEFAULTS;
  }
}

/** Parts of the page that are loaded when they are needed, and again when that fails. */

import { type ComponentType, lazy } from "react";

const PAUSES_MS = [300, 1_000, 3_000] as const;

/** Returns a component that `load` brings; a broken line is tried a few times more. */
export function lazyPage<Props>(load: () => Promise<{ default: ComponentType<Props> }>) {
  return lazy(async () => {
    for (const pauseMs of PAUSES_MS) {
      try {
        return await load();
      } catch {
        await new Promise((resolve) => window.setTimeout(resolve, pauseMs));
      }
    }
    return load();
  });
}

/** Code that was changed and not deployed: kept as long as the browser's tab, one for each function. */

import { useSyncExternalStore } from "react";
import type { SourceFile } from "./archive";

export interface Draft {
  readonly files: readonly SourceFile[];
  /** What it was made of: the code's hash at the time. */
  readonly basedOn: string;
}

const drafts = new Map<string, Draft>();
const listeners = new Set<() => void>();

export function useDraft(name: string): Draft | undefined {
  return useSyncExternalStore(subscribe, () => drafts.get(name));
}

export function keepDraft(name: string, draft: Draft | null): void {
  if (draft === null) drafts.delete(name);
  else drafts.set(name, draft);
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

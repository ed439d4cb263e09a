/** What may be done with an execution in each status. Pure. */

import type { ExecutionStatus } from "../api/shapes";

export type Action = "stop" | "pause" | "resume" | "delete";

const OPEN: ReadonlySet<ExecutionStatus> = new Set(["RUNNING", "PAUSING", "PAUSED"]);

/** Tells whether it may still go on. */
export const isOpen = (status: ExecutionStatus): boolean => OPEN.has(status);

/** Tells whether `action` makes sense now. */
export function isPossible(action: Action, status: ExecutionStatus, isPaused: boolean): boolean {
  const paused = isPaused || status === "PAUSED" || status === "PAUSING";
  switch (action) {
    case "stop":
      return isOpen(status);
    case "pause":
      return isOpen(status) && !paused;
    case "resume":
      return isOpen(status) && paused;
    case "delete":
      return !isOpen(status) && status !== "DELETING";
  }
}

export const VERBS: Readonly<Record<Action, string>> = {
  stop: "Stop",
  pause: "Pause",
  resume: "Resume",
  delete: "Delete",
};

export const DONE: Readonly<Record<Action, string>> = {
  stop: "stopped",
  pause: "paused",
  resume: "resumed",
  delete: "deleted",
};

/** What each action means, before it is done. */
export const MEANINGS: Readonly<Record<Action, string>> = {
  stop: "A stopped execution ends now with status Stopped. It cannot go on afterwards.",
  pause: "A paused execution is not invoked until it is resumed. What runs now comes to its end.",
  resume: "A resumed execution goes on with what has become due in the meantime.",
  delete: "A deleted execution is removed with its history and payloads.",
};

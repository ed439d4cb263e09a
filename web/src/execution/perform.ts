/** Does to an execution what a person asked for. */

import { deleteExecution, pauseExecution, resumeExecution, stopExecution } from "../api/executions";
import type { Action } from "./lifecycle";

export function perform(action: Action, arn: string, reason: string): Promise<unknown> {
  switch (action) {
    case "stop":
      return stopExecution(arn, reason);
    case "pause":
      return pauseExecution(arn, reason);
    case "resume":
      return resumeExecution(arn, reason);
    case "delete":
      return deleteExecution(arn);
  }
}

/** An operation's kind, in words. */

import type { Operation } from "./fold";

const TYPES = {
  STEP: "Step",
  WAIT: "Wait",
  CALLBACK: "Callback",
  CHAINED_INVOKE: "Chained invoke",
  CONTEXT: "Child context",
} as const;

const SUB_TYPES: Readonly<Record<string, string>> = {
  Step: "Step",
  Wait: "Wait",
  Callback: "Callback",
  WaitForCallback: "Wait for callback",
  WaitForCondition: "Wait for condition",
  ChainedInvoke: "Chained invoke",
  RunInChildContext: "Child context",
  Map: "Map",
  MapIteration: "Map iteration",
  Parallel: "Parallel",
  ParallelBranch: "Parallel branch",
};

/** Returns "Step", "Map iteration", ... */
export function typeText(operation: Pick<Operation, "type" | "subType">): string {
  return SUB_TYPES[operation.subType] ?? TYPES[operation.type];
}

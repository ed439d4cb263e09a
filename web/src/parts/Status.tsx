import StatusIndicator, {
  type StatusIndicatorProps,
} from "@cloudscape-design/components/status-indicator";

const WORDS: Readonly<Record<string, readonly [StatusIndicatorProps.Type, string]>> = {
  RUNNING: ["in-progress", "Running"],
  SUCCEEDED: ["success", "Succeeded"],
  FAILED: ["error", "Failed"],
  TIMED_OUT: ["error", "Timed out"],
  STOPPED: ["stopped", "Stopped"],
  DELETING: ["pending", "Deleting"],
  PAUSING: ["pending", "Pausing"],
  PAUSED: ["pending", "Paused"],
  STARTED: ["in-progress", "Started"],
  PENDING: ["pending", "Waiting for a retry"],
  READY: ["pending", "Ready"],
  CANCELLED: ["stopped", "Cancelled"],
  Active: ["success", "Active"],
  Inactive: ["stopped", "Inactive"],
  Pending: ["pending", "Pending"],
  Failed: ["error", "Failed"],
  Successful: ["success", "Successful"],
  InProgress: ["in-progress", "In progress"],
};

/** A status in words, with its sign. */
export function Status({ status }: { status: string }) {
  const [type, text] = WORDS[status] ?? ["info", status];
  return <StatusIndicator type={type}>{text}</StatusIndicator>;
}

/** Returns a status in words. */
export const statusText = (status: string): string => WORDS[status]?.[1] ?? status;

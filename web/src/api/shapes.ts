/** What the console's own routes answer: snake_case, instants in epoch milliseconds. */

export type ExecutionStatus =
  | "RUNNING"
  | "SUCCEEDED"
  | "FAILED"
  | "TIMED_OUT"
  | "STOPPED"
  | "DELETING"
  | "PAUSING"
  | "PAUSED";

export interface Session {
  readonly token: string;
  readonly region: string;
  readonly account_id: string;
  readonly version: string;
  readonly node_id: string;
  readonly mode: "serve" | "dev";
  readonly quotas: "aws" | "relaxed";
  readonly runtimes: readonly string[];
  readonly now_ms: number;
  readonly login: null;
}

export interface FunctionLine {
  readonly name: string;
  readonly arn: string;
  readonly runtime: string | null;
  readonly state: string;
  readonly last_update_status: string | null;
  readonly is_durable: boolean;
  readonly description: string | null;
  readonly code_size: number | null;
  readonly last_modified: string | null;
  readonly last_execution: {
    readonly arn: string;
    readonly status: ExecutionStatus;
    readonly started_at_ms: number;
  } | null;
  readonly recent: Readonly<Partial<Record<ExecutionStatus, number>>>;
}

export interface TestEvent {
  readonly name: string;
  readonly payload: string;
}

export interface Template {
  readonly id: string;
  readonly title: string;
  readonly runtime: string;
  readonly is_durable: boolean;
  readonly handler: string;
  readonly files: readonly { readonly path: string; readonly text: string }[];
}

export interface ExecutionLine {
  readonly arn: string;
  readonly id: string;
  readonly name: string;
  readonly function_name: string;
  readonly version: string;
  readonly status: ExecutionStatus;
  readonly is_paused: boolean;
  readonly started_at_ms: number;
  readonly ended_at_ms: number | null;
  readonly waits_for: string | null;
}

export interface ExecutionPage {
  readonly executions: readonly ExecutionLine[];
  readonly next_marker: string | null;
  readonly scanned?: number;
}

export interface Counts {
  readonly by_status: Readonly<Partial<Record<ExecutionStatus, number>>>;
  readonly by_function: Readonly<Record<string, Partial<Record<ExecutionStatus, number>>>>;
  readonly is_capped?: boolean;
}

export interface WaitsFor {
  readonly operation_id: string;
  readonly name: string | null;
  readonly type: string;
  readonly sub_type: string | null;
  readonly path: readonly string[];
  readonly since_ms: number;
  readonly until_ms: number | null;
  readonly unblocks: string;
  readonly attempt: number | null;
  readonly last_error: { readonly type: string | null; readonly message: string | null } | null;
  readonly callback_id?: string | null;
  readonly chained_execution_arn?: string | null;
}

export interface Explanation {
  readonly sentence: string;
  readonly kind: "waiting" | "running" | "ready" | "retrying" | "paused" | "ended" | "blocked";
  /** The first hundred: those that end soonest. */
  readonly waits: readonly WaitsFor[];
  readonly wait_count: number;
  readonly worker: { readonly available: boolean; readonly text: string };
}

/** An error in AWS's form, as a function raised it. */
export interface ErrorObject {
  readonly ErrorType?: string | null;
  readonly ErrorMessage?: string | null;
  readonly ErrorData?: string | null;
  readonly StackTrace?: readonly string[] | null;
}

export interface Execution {
  readonly arn: string;
  readonly id: string;
  readonly name: string;
  readonly function_name: string;
  readonly version: string;
  readonly status: ExecutionStatus;
  readonly is_paused: boolean;
  readonly started_at_ms: number;
  readonly ended_at_ms: number | null;
  readonly deadline_at_ms: number | null;
  readonly input: string | null;
  readonly result: string | null;
  readonly error: ErrorObject | null;
  readonly billed_ms: number;
  readonly waiting_ms: number;
  readonly operation_count: number;
  readonly stored_bytes: number;
  readonly invocation_count: number;
  readonly last_event_id: number;
  readonly code_sha256: string | null;
  readonly trace_id: string | null;
  readonly explain: Explanation;
  /** Of a stream's: the payloads that are too large to come again and again, and are null. */
  readonly left_out?: readonly ("input" | "result")[];
}

export interface OpenCallback {
  readonly callback_id: string;
  readonly name: string | null;
  readonly execution_arn: string;
  readonly execution_name: string;
  readonly function_name: string;
  readonly operation_id: string;
  readonly started_at_ms: number;
  readonly timeout_at_ms: number | null;
  readonly heartbeat_timeout_at_ms: number | null;
  readonly submitter: {
    readonly name: string | null;
    readonly status: string;
    readonly result: string | null;
  } | null;
}

export interface CallbackPage {
  readonly callbacks: readonly OpenCallback[];
  readonly next_marker: string | null;
}

export interface NodeLine {
  readonly id: string;
  readonly started_at_ms: number;
  readonly version: string;
  readonly is_self: boolean;
  readonly address: string | null;
  readonly running: number;
  readonly capacity: number;
  readonly last_seen_at_ms: number;
}

export interface WorkerLine {
  readonly id: string;
  readonly function: string;
  readonly version: string;
  readonly runtime: string;
  readonly pid: number | null;
  readonly state: string;
  readonly runs: number;
  readonly kept_handlers: number;
  readonly memory_bytes: number | null;
  readonly started_at_ms: number;
  readonly idle_ms: number | null;
}

export interface SeriesPoint {
  readonly at_ms: number;
  readonly checkpoints: number;
  readonly starts: number;
  readonly completions: number;
  readonly invocations: number;
  readonly errors: number;
  readonly checkpoint_p50_ms: number | null;
  readonly checkpoint_p99_ms: number | null;
  readonly running: number;
  readonly suspended: number | null;
}

export interface Operations {
  readonly nodes: readonly NodeLine[];
  readonly workers: readonly WorkerLine[];
  readonly queues: {
    readonly ready: number;
    readonly running: number;
    readonly letters: number;
    readonly due_timers: number;
    readonly next_due_at_ms: number | null;
    readonly sync_callers: number;
  };
  readonly store: {
    readonly kind: string;
    readonly size_bytes: number | null;
    readonly unreadable_rows: number;
    readonly free_bytes: number | null;
  };
  readonly health: { readonly status: string; readonly problems: readonly string[] };
  readonly series: { readonly interval_ms: number; readonly points: readonly SeriesPoint[] };
}

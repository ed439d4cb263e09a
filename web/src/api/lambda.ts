/** The shapes of the Lambda API that the page uses, as they are on the wire. */

export interface DurableConfig {
  readonly RetentionPeriodInDays?: number;
  readonly ExecutionTimeout?: number;
}

export interface FunctionConfiguration {
  readonly FunctionName: string;
  readonly FunctionArn: string;
  readonly Runtime?: string;
  readonly Role?: string;
  readonly Handler?: string;
  readonly CodeSize?: number;
  readonly Description?: string;
  readonly Timeout?: number;
  readonly MemorySize?: number;
  readonly LastModified?: string;
  readonly CodeSha256?: string;
  readonly Version?: string;
  readonly RevisionId?: string;
  readonly State?: string;
  readonly StateReason?: string;
  readonly LastUpdateStatus?: string;
  readonly LastUpdateStatusReason?: string;
  readonly PackageType?: string;
  readonly Environment?: { readonly Variables?: Readonly<Record<string, string>> };
  readonly DurableConfig?: DurableConfig;
}

export interface FunctionDetails {
  readonly Configuration: FunctionConfiguration;
  readonly Code?: { readonly RepositoryType?: string; readonly Location?: string };
  readonly Tags?: Readonly<Record<string, string>>;
  readonly Concurrency?: { readonly ReservedConcurrentExecutions?: number };
}

export interface CreateFunction {
  readonly FunctionName: string;
  readonly Role: string;
  readonly Runtime: string;
  readonly Handler: string;
  readonly Code: { readonly ZipFile: string };
  readonly Description?: string;
  readonly Timeout?: number;
  readonly MemorySize?: number;
  readonly DurableConfig?: DurableConfig;
}

export interface UpdateConfiguration {
  readonly Handler?: string;
  readonly Runtime?: string;
  readonly Description?: string;
  readonly Timeout?: number;
  readonly MemorySize?: number;
  readonly Environment?: { readonly Variables: Readonly<Record<string, string>> };
  readonly DurableConfig?: DurableConfig;
}

export interface Alias {
  readonly Name: string;
  readonly AliasArn?: string;
  readonly FunctionVersion: string;
  readonly Description?: string;
  readonly RevisionId?: string;
  readonly RoutingConfig?: {
    readonly AdditionalVersionWeights?: Readonly<Record<string, number>>;
  };
}

export interface InvokeAnswer {
  readonly statusCode: number;
  readonly functionError: string | null;
  readonly payload: string;
  readonly logTail: string;
  readonly executedVersion: string | null;
  readonly executionArn: string | null;
  readonly requestId: string | null;
}

export interface LogLine {
  readonly timestamp: number;
  readonly message: string;
  readonly logStreamName?: string;
  readonly eventId?: string;
}

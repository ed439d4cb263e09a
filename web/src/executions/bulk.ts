/** One action on many executions, a few at a time. Pure but for what `perform` does. */

export interface Failure {
  readonly name: string;
  readonly message: string;
}

export interface Progress {
  readonly done: number;
  readonly failures: readonly Failure[];
}

export interface Target {
  readonly arn: string;
  readonly name: string;
}

const AT_ONCE = 6;

/** Performs on each of `targets`; a failure stops none of the others. */
export async function performAll(
  targets: AsyncIterable<Target> | Iterable<Target>,
  perform: (target: Target) => Promise<unknown>,
  onProgress: (progress: Progress) => void,
): Promise<Progress> {
  let done = 0;
  const failures: Failure[] = [];
  const running = new Set<Promise<void>>();
  const one = async (target: Target): Promise<void> => {
    try {
      await perform(target);
    } catch (error) {
      failures.push({
        name: target.name,
        message: error instanceof Error ? error.message : String(error),
      });
    }
    done += 1;
    onProgress({ done, failures });
  };
  for await (const target of targets) {
    const run = one(target).finally(() => running.delete(run));
    running.add(run);
    if (running.size >= AT_ONCE) await Promise.race(running);
  }
  await Promise.all(running);
  return { done, failures };
}

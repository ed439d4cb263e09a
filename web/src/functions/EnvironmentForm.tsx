import { useState } from "react";
import { updateConfiguration } from "../api/functions";
import type { FunctionConfiguration } from "../api/lambda";
import { PairsEditor } from "../parts/PairsEditor";
import { SaveForm } from "../parts/SaveForm";
import { type Pair, pairsOf, pairsProblem, recordOf } from "../text/pairs";

const NAME = /^[a-zA-Z][a-zA-Z0-9_]+$/;

interface Props {
  readonly configuration: FunctionConfiguration;
  readonly onChanged: () => void;
}

/** The environment variables. */
export function EnvironmentForm({ configuration, onChanged }: Props) {
  const before = pairsOf(configuration.Environment?.Variables ?? {});
  const [pairs, setPairs] = useState<readonly Pair[]>(before);
  const problem = pairsProblem(
    pairs,
    NAME,
    "a variable's name starts with a letter, then letters, digits and underscores; two at least",
  );
  return (
    <SaveForm
      title="Environment variables"
      description="The function reads them from its environment. They are shown to everybody who sees this page."
      isChanged={JSON.stringify(pairs) !== JSON.stringify(before)}
      isValid={problem === null}
      onSave={async () => {
        await updateConfiguration(configuration.FunctionName, {
          Environment: { Variables: recordOf(pairs) },
        });
        onChanged();
      }}
      onReset={() => setPairs(before)}
    >
      <PairsEditor
        noun="environment variable"
        pairs={pairs}
        problem={problem}
        onChange={setPairs}
      />
    </SaveForm>
  );
}

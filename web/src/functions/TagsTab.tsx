import Spinner from "@cloudscape-design/components/spinner";
import { useState } from "react";
import { listTags, tagResource, untagResource } from "../api/functions";
import { LoadError } from "../parts/LoadError";
import { PairsEditor } from "../parts/PairsEditor";
import { SaveForm } from "../parts/SaveForm";
import { useResource } from "../state/useResource";
import { type Pair, pairsOf, pairsProblem, recordOf } from "../text/pairs";

const KEY = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u;

/** The function's tags. */
export function TagsTab({ arn }: { arn: string }) {
  const tags = useResource((signal) => listTags(arn, signal), [arn]);
  if (!tags.data) {
    return tags.error ? (
      <LoadError what="the tags" error={tags.error} onRetry={tags.reload} />
    ) : (
      <Spinner />
    );
  }
  return (
    <TagsForm
      key={JSON.stringify(tags.data)}
      arn={arn}
      before={pairsOf(tags.data)}
      onChanged={tags.reload}
    />
  );
}

interface FormProps {
  readonly arn: string;
  readonly before: readonly Pair[];
  readonly onChanged: () => void;
}

function TagsForm({ arn, before, onChanged }: FormProps) {
  const [pairs, setPairs] = useState(before);
  const problem = pairsProblem(
    pairs,
    KEY,
    "letters, digits, blanks and _ . : / = + - @ make a key",
  );
  return (
    <SaveForm
      title="Tags"
      description="Names and values of your own, to find and sort functions by."
      isChanged={JSON.stringify(pairs) !== JSON.stringify(before)}
      isValid={problem === null}
      onSave={async () => {
        const next = recordOf(pairs);
        const gone = before.map((pair) => pair.name).filter((name) => !(name in next));
        if (gone.length > 0) await untagResource(arn, gone);
        if (pairs.length > 0) await tagResource(arn, next);
        onChanged();
      }}
      onReset={() => setPairs(before)}
    >
      <PairsEditor noun="tag" pairs={pairs} problem={problem} onChange={setPairs} />
    </SaveForm>
  );
}

import Button from "@cloudscape-design/components/button";
import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import type { Execution } from "../api/shapes";
import { ConfirmModal } from "../parts/ConfirmModal";
import { showFlash } from "../state/flash";
import { places, useGo } from "../state/places";
import { type Action, DONE, isPossible, MEANINGS, VERBS } from "./lifecycle";
import { perform } from "./perform";

const ACTIONS: readonly Action[] = ["stop", "pause", "resume", "delete"];

/** Stop, pause, resume, delete; each asks first. */
export function ExecutionActions({
  execution,
  onChanged,
}: {
  execution: Execution;
  onChanged: () => void;
}) {
  const [asked, setAsked] = useState<Action | null>(null);
  const [reason, setReason] = useState("");
  const go = useGo();
  async function confirm(action: Action): Promise<void> {
    await perform(action, execution.arn, reason);
    showFlash({ type: "success", header: `Execution ${execution.name} is ${DONE[action]}` });
    if (action === "delete") go(places.executions);
    else onChanged();
  }
  return (
    <SpaceBetween direction="horizontal" size="xs">
      <Button iconName="refresh" ariaLabel="Reload" onClick={onChanged} />
      <Button onClick={() => go(places.function(execution.function_name))}>Open function</Button>
      <ButtonDropdown
        variant="primary"
        items={ACTIONS.map((action) => ({
          id: action,
          text: VERBS[action],
          disabled: !isPossible(action, execution.status, execution.is_paused),
          disabledReason: `not possible while it is ${execution.status.toLowerCase()}`,
        }))}
        onItemClick={({ detail }) => setAsked(detail.id as Action)}
      >
        Actions
      </ButtonDropdown>
      {asked && (
        <ConfirmModal
          title={`${VERBS[asked]} ${execution.name}?`}
          verb={VERBS[asked]}
          onConfirm={() => confirm(asked)}
          onClose={() => setAsked(null)}
        >
          {MEANINGS[asked]}
          {asked !== "delete" && (
            <FormField label="Reason (optional)" description="Kept in the execution's history.">
              <Input value={reason} onChange={({ detail }) => setReason(detail.value)} />
            </FormField>
          )}
        </ConfirmModal>
      )}
    </SpaceBetween>
  );
}

import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import RadioGroup from "@cloudscape-design/components/radio-group";
import { useState } from "react";
import { deleteConcurrency, putConcurrency } from "../api/functions";
import type { FunctionDetails } from "../api/lambda";
import { SaveForm } from "../parts/SaveForm";
import { numberProblem } from "./newFunction";

const CONCURRENCY_MAX = 100_000;

interface Props {
  readonly details: FunctionDetails;
  readonly onChanged: () => void;
}

/** How many invocations of the function may run at once. */
export function ConcurrencyForm({ details, onChanged }: Props) {
  const reserved = details.Concurrency?.ReservedConcurrentExecutions;
  const before = {
    kind: reserved === undefined ? "shared" : "reserved",
    value: String(reserved ?? 10),
  };
  const [form, setForm] = useState(before);
  const problem = form.kind === "reserved" ? numberProblem(form.value, CONCURRENCY_MAX, 0) : null;
  const name = details.Configuration.FunctionName;
  return (
    <SaveForm
      title="Concurrency"
      description="How many invocations may run at once. A suspended execution counts for nothing."
      isChanged={JSON.stringify(form) !== JSON.stringify(before)}
      isValid={problem === null}
      onSave={async () => {
        if (form.kind === "shared") await deleteConcurrency(name);
        else await putConcurrency(name, Number(form.value));
        onChanged();
      }}
      onReset={() => setForm(before)}
    >
      <RadioGroup
        ariaLabel="Concurrency"
        value={form.kind}
        onChange={({ detail }) => setForm({ ...form, kind: detail.value })}
        items={[
          {
            value: "shared",
            label: "Use what the server has",
            description: "Shared by all functions.",
          },
          {
            value: "reserved",
            label: "Reserve concurrency",
            description: "This many at most, and this many in any case. 0 stops all invocations.",
          },
        ]}
      />
      {form.kind === "reserved" && (
        <FormField label="Reserved concurrency" errorText={problem}>
          <Input
            type="number"
            value={form.value}
            onChange={({ detail }) => setForm({ ...form, value: detail.value })}
          />
        </FormField>
      )}
    </SaveForm>
  );
}

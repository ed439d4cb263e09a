import ColumnLayout from "@cloudscape-design/components/column-layout";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import { useState } from "react";
import { updateConfiguration } from "../api/functions";
import type { FunctionConfiguration } from "../api/lambda";
import { SaveForm } from "../parts/SaveForm";
import { useSession } from "../state/session";
import { numberProblem, RETENTION_DAYS_MAX, TIMEOUT_SECONDS_MAX } from "./newFunction";

const INVOCATION_SECONDS_MAX = 900;
const MEMORY_MB_MIN = 128;
const MEMORY_MB_MAX = 10_240;

interface Props {
  readonly configuration: FunctionConfiguration;
  readonly onChanged: () => void;
}

function formOf(configuration: FunctionConfiguration) {
  return {
    description: configuration.Description ?? "",
    handler: configuration.Handler ?? "",
    runtime: configuration.Runtime ?? "",
    memory: String(configuration.MemorySize ?? MEMORY_MB_MIN),
    timeout: String(configuration.Timeout ?? 3),
    executionTimeout: String(configuration.DurableConfig?.ExecutionTimeout ?? ""),
    retention: String(configuration.DurableConfig?.RetentionPeriodInDays ?? ""),
  };
}

/** Description, handler, runtime, memory and the time-outs. */
export function GeneralForm({ configuration, onChanged }: Props) {
  const session = useSession();
  const before = formOf(configuration);
  const [form, setForm] = useState(before);
  const isDurable = configuration.DurableConfig !== undefined;
  const problems = {
    memory: numberProblem(form.memory, MEMORY_MB_MAX, MEMORY_MB_MIN),
    timeout: numberProblem(form.timeout, INVOCATION_SECONDS_MAX),
    executionTimeout: isDurable ? numberProblem(form.executionTimeout, TIMEOUT_SECONDS_MAX) : null,
    retention: isDurable ? numberProblem(form.retention, RETENTION_DAYS_MAX) : null,
  };
  const change = (part: Partial<typeof form>): void => setForm({ ...form, ...part });
  const input = (label: string, key: keyof typeof form, description?: string) => (
    <FormField
      label={label}
      description={description}
      errorText={key in problems ? problems[key as keyof typeof problems] : null}
    >
      <Input value={form[key]} onChange={({ detail }) => change({ [key]: detail.value })} />
    </FormField>
  );

  async function save(): Promise<void> {
    await updateConfiguration(configuration.FunctionName, {
      Description: form.description,
      Handler: form.handler,
      Runtime: form.runtime,
      MemorySize: Number(form.memory),
      Timeout: Number(form.timeout),
      ...(isDurable && {
        DurableConfig: {
          ExecutionTimeout: Number(form.executionTimeout),
          RetentionPeriodInDays: Number(form.retention),
        },
      }),
    });
    onChanged();
  }

  return (
    <SaveForm
      title="General configuration"
      isChanged={JSON.stringify(form) !== JSON.stringify(before)}
      isValid={Object.values(problems).every((one) => one === null)}
      onSave={save}
      onReset={() => setForm(before)}
    >
      <ColumnLayout columns={2}>
        {input("Description", "description")}
        {input("Handler", "handler", "File and function, such as app.handler.")}
        <FormField label="Runtime">
          <Select
            ariaLabel="Runtime"
            selectedOption={{ value: form.runtime, label: form.runtime }}
            options={session.runtimes.map((value) => ({ value, label: value }))}
            onChange={({ detail }) => change({ runtime: detail.selectedOption.value ?? "" })}
          />
        </FormField>
        {input("Memory in MB", "memory", `${MEMORY_MB_MIN} to ${MEMORY_MB_MAX}.`)}
        {input(
          "Time-out of an invocation in seconds",
          "timeout",
          `At most ${INVOCATION_SECONDS_MAX}. A durable execution goes on with the next one.`,
        )}
        {isDurable && input("Execution time-out in seconds", "executionTimeout")}
        {isDurable && input("Retention in days", "retention")}
      </ColumnLayout>
    </SaveForm>
  );
}

import ColumnLayout from "@cloudscape-design/components/column-layout";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import Select from "@cloudscape-design/components/select";
import { listAliases, listVersions } from "../api/functions";
import { useResource } from "../state/useResource";

export interface TestSettings {
  readonly qualifier: string;
  readonly isAsynchronous: boolean;
  readonly executionName: string;
}

const EXECUTION_NAME = /^[A-Za-z0-9-_]{0,64}$/;

interface Props {
  readonly functionName: string;
  readonly isDurable: boolean;
  readonly settings: TestSettings;
  readonly onChange: (settings: TestSettings) => void;
}

/** How a test invokes: which version, whether it waits, under which name. */
export function TestOptions({ functionName, isDurable, settings, onChange }: Props) {
  const qualifiers = useResource(
    async (signal) => ({
      versions: (await listVersions(functionName, signal)).map((one) => one.Version ?? ""),
      aliases: (await listAliases(functionName, signal)).map((one) => one.Name),
    }),
    [functionName],
  );
  const { versions = ["$LATEST"], aliases = [] } = qualifiers.data ?? {};
  return (
    <ColumnLayout columns={isDurable ? 3 : 2}>
      <FormField label="Invocation type">
        <SegmentedControl
          label="Invocation type"
          selectedId={settings.isAsynchronous ? "async" : "sync"}
          options={[
            { id: "sync", text: "Synchronous" },
            { id: "async", text: "Asynchronous" },
          ]}
          onChange={({ detail }) =>
            onChange({ ...settings, isAsynchronous: detail.selectedId === "async" })
          }
        />
      </FormField>
      <FormField label="Version or alias">
        <Select
          ariaLabel="Version or alias"
          selectedOption={{ value: settings.qualifier, label: settings.qualifier }}
          options={[
            { label: "Versions", options: versions.map((value) => ({ value, label: value })) },
            ...(aliases.length > 0
              ? [{ label: "Aliases", options: aliases.map((value) => ({ value, label: value })) }]
              : []),
          ]}
          onChange={({ detail }) =>
            onChange({ ...settings, qualifier: detail.selectedOption.value ?? "$LATEST" })
          }
        />
      </FormField>
      {isDurable && (
        <FormField
          label="Durable execution name (optional)"
          errorText={
            EXECUTION_NAME.test(settings.executionName)
              ? null
              : "at most 64 letters, numbers, hyphens and underscores"
          }
        >
          <Input
            value={settings.executionName}
            placeholder="Made up when empty"
            onChange={({ detail }) => onChange({ ...settings, executionName: detail.value })}
          />
        </FormField>
      )}
    </ColumnLayout>
  );
}

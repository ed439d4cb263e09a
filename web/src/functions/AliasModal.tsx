import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import { useState } from "react";
import { createAlias, updateAlias } from "../api/functions";
import type { Alias } from "../api/lambda";
import { ConfirmModal } from "../parts/ConfirmModal";
import { showFlash } from "../state/flash";
import { numberProblem } from "./newFunction";

const NONE = { value: "", label: "None" };
const NAME = /^(?!^[0-9]+$)[a-zA-Z0-9-_]{1,128}$/;

interface Props {
  readonly name: string;
  /** null: a new one. */
  readonly alias: Alias | null;
  readonly versions: readonly string[];
  readonly onDone: () => void;
  readonly onClose: () => void;
}

/** Makes or changes an alias: its version, and a second one with a weight. */
export function AliasModal({ name, alias, versions, onDone, onClose }: Props) {
  const [second, share] = Object.entries(
    alias?.RoutingConfig?.AdditionalVersionWeights ?? {},
  )[0] ?? ["", 0];
  const [form, setForm] = useState({
    name: alias?.Name ?? "",
    version: alias?.FunctionVersion ?? versions.at(-1) ?? "$LATEST",
    description: alias?.Description ?? "",
    second,
    percent: String(Math.round(share * 100)),
  });
  const change = (part: Partial<typeof form>): void => setForm({ ...form, ...part });
  const percentProblem = form.second ? numberProblem(form.percent, 100, 0) : null;
  const isNameFine = NAME.test(form.name);
  const numbered = versions.filter((one) => one !== "$LATEST" && one !== form.version);

  async function confirm(): Promise<void> {
    const weights = form.second ? { [form.second]: Number(form.percent) / 100 } : {};
    const request = {
      Name: form.name,
      FunctionVersion: form.version,
      Description: form.description,
      RoutingConfig: { AdditionalVersionWeights: weights },
    };
    await (alias ? updateAlias(name, request) : createAlias(name, request));
    showFlash({ type: "success", header: `Alias ${form.name} is saved` });
    onDone();
  }

  return (
    <ConfirmModal
      title={alias ? `Edit alias ${alias.Name}` : "Create alias"}
      verb="Save"
      isDisabled={!isNameFine || percentProblem !== null}
      onConfirm={confirm}
      onClose={onClose}
    >
      <FormField label="Name" constraintText="Letters, digits, - and _; not digits alone.">
        <Input
          value={form.name}
          disabled={alias !== null}
          placeholder="live"
          onChange={({ detail }) => change({ name: detail.value })}
        />
      </FormField>
      <FormField label="Version">
        <Select
          ariaLabel="Version"
          selectedOption={{ value: form.version, label: form.version }}
          options={versions.map((value) => ({ value, label: value }))}
          onChange={({ detail }) => change({ version: detail.selectedOption.value ?? "" })}
        />
      </FormField>
      <FormField
        label="Second version (optional)"
        description="Takes a part of the new invocations."
      >
        <Select
          ariaLabel="Second version"
          selectedOption={form.second ? { value: form.second, label: form.second } : NONE}
          options={[NONE, ...numbered.map((value) => ({ value, label: value }))]}
          onChange={({ detail }) => change({ second: detail.selectedOption.value ?? "" })}
        />
      </FormField>
      {form.second && (
        <FormField label="Weight of the second version in percent" errorText={percentProblem}>
          <Input
            type="number"
            value={form.percent}
            onChange={({ detail }) => change({ percent: detail.value })}
          />
        </FormField>
      )}
      <FormField label="Description (optional)">
        <Input
          value={form.description}
          onChange={({ detail }) => change({ description: detail.value })}
        />
      </FormField>
    </ConfirmModal>
  );
}

import SpaceBetween from "@cloudscape-design/components/space-between";
import type { FunctionDetails } from "../api/lambda";
import { ConcurrencyForm } from "./ConcurrencyForm";
import { EnvironmentForm } from "./EnvironmentForm";
import { GeneralForm } from "./GeneralForm";

interface Props {
  readonly details: FunctionDetails;
  readonly onChanged: () => void;
}

/** The function's settings: each part is saved for itself. */
export function ConfigurationTab({ details, onChanged }: Props) {
  return (
    <SpaceBetween size="l">
      <GeneralForm configuration={details.Configuration} onChanged={onChanged} />
      <EnvironmentForm configuration={details.Configuration} onChanged={onChanged} />
      <ConcurrencyForm details={details} onChanged={onChanged} />
    </SpaceBetween>
  );
}

import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { type ReactNode, useState } from "react";
import { showFlash } from "../state/flash";

interface Props {
  readonly title: string;
  readonly description?: string;
  readonly isChanged: boolean;
  readonly isValid?: boolean;
  readonly children: ReactNode;
  readonly onSave: () => Promise<void>;
  readonly onReset: () => void;
}

/** A part of the settings with its own Save. */
export function SaveForm(props: Props) {
  const { title, description, isChanged, isValid = true, children, onSave, onReset } = props;
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  async function save(): Promise<void> {
    setBusy(true);
    setProblem("");
    try {
      await onSave();
      showFlash({ type: "success", header: `${title}: saved` });
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
    setBusy(false);
  }
  return (
    <Container
      header={
        <Header
          variant="h2"
          description={description}
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button variant="link" disabled={!isChanged} onClick={onReset}>
                Reset
              </Button>
              <Button
                loading={isBusy}
                disabled={!isChanged || !isValid}
                onClick={() => void save()}
                ariaLabel={`Save: ${title}`}
              >
                Save
              </Button>
            </SpaceBetween>
          }
        >
          {title}
        </Header>
      }
    >
      <SpaceBetween size="m">
        {problem && (
          <Alert type="error" header="Not saved">
            {problem}
          </Alert>
        )}
        {children}
      </SpaceBetween>
    </Container>
  );
}

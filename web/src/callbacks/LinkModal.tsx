import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";
import FormField from "@cloudscape-design/components/form-field";
import Modal from "@cloudscape-design/components/modal";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Textarea from "@cloudscape-design/components/textarea";
import { useState } from "react";
import { createCallbackLink } from "../api/console";
import { Instant } from "../parts/Instant";

const SPANS = [
  { value: "3600", label: "1 hour" },
  { value: "86400", label: "1 day" },
  { value: "604800", label: "7 days" },
  { value: "2592000", label: "30 days" },
] as const;
const QUESTION_MAX = 500;

interface Props {
  readonly callbackId: string;
  readonly name: string;
  readonly onClose: () => void;
}

/** Makes a link with which somebody without an account decides one callback once. */
export function LinkModal({ callbackId, name, onClose }: Props) {
  const [seconds, setSeconds] = useState<string>(SPANS[1].value);
  const [question, setQuestion] = useState("");
  const [link, setLink] = useState<{ url: string; expires_at_ms: number } | null>(null);
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);

  async function create(): Promise<void> {
    setBusy(true);
    setProblem("");
    try {
      setLink(await createCallbackLink(callbackId, Number(seconds), question));
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
    setBusy(false);
  }

  return (
    <Modal
      visible
      header={`Approval link for ${name}`}
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              {link ? "Close" : "Cancel"}
            </Button>
            {!link && (
              <Button variant="primary" loading={isBusy} onClick={() => void create()}>
                Create the link
              </Button>
            )}
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        {problem && <Alert type="error">{problem}</Alert>}
        {link ? (
          <>
            <Alert type="success" header="The link is ready">
              Whoever has it can approve or reject this callback once, until{" "}
              <Instant atMs={link.expires_at_ms} />. No account is needed: send it only to whom you
              trust with the decision.
            </Alert>
            <CopyToClipboard
              variant="inline"
              textToCopy={link.url}
              textToDisplay={link.url}
              copyButtonAriaLabel="Copy the link"
              copySuccessText="Copied"
              copyErrorText="Could not be copied; select the text"
            />
          </>
        ) : (
          <>
            <FormField
              label="Question (optional)"
              description="What is to be decided: shown on the page."
            >
              <Textarea
                value={question}
                rows={3}
                ariaLabel="Question"
                onChange={({ detail }) => setQuestion(detail.value.slice(0, QUESTION_MAX))}
              />
            </FormField>
            <FormField label="Valid for">
              <Select
                selectedOption={SPANS.find((one) => one.value === seconds) ?? SPANS[1]}
                options={[...SPANS]}
                ariaLabel="Valid for"
                onChange={({ detail }) => setSeconds(detail.selectedOption.value ?? seconds)}
              />
            </FormField>
          </>
        )}
      </SpaceBetween>
    </Modal>
  );
}

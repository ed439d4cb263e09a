import Alert from "@cloudscape-design/components/alert";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import Textarea from "@cloudscape-design/components/textarea";
import { useState } from "react";
import { sendFailure, sendSuccess } from "../api/executions";
import { ConfirmModal } from "../parts/ConfirmModal";
import { showFlash } from "../state/flash";
import { jsonProblem } from "../text/payloads";

interface Props {
  readonly callbackId: string;
  readonly name: string;
  readonly startsWith?: "success" | "failure";
  readonly onDone: () => void;
  readonly onClose: () => void;
}

/** Answers a callback: success with a payload, or failure with an error. */
export function AnswerModal({ callbackId, name, startsWith = "success", onDone, onClose }: Props) {
  const [kind, setKind] = useState<string>(startsWith);
  const [payload, setPayload] = useState('{"approved": true}');
  const [type, setType] = useState("CallbackRejected");
  const [message, setMessage] = useState("");
  const isSuccess = kind === "success";
  const problem = isSuccess ? jsonProblem(payload) : null;

  async function confirm(): Promise<void> {
    if (isSuccess) await sendSuccess(callbackId, payload);
    else await sendFailure(callbackId, type, message);
    showFlash({
      type: "success",
      header: `Callback ${name} is answered: ${isSuccess ? "success" : "failure"}`,
    });
    onDone();
  }

  return (
    <ConfirmModal
      title={`Answer ${name}`}
      verb={isSuccess ? "Send success" : "Send failure"}
      onConfirm={confirm}
      onClose={onClose}
    >
      <SegmentedControl
        label="What to send"
        selectedId={kind}
        onChange={({ detail }) => setKind(detail.selectedId)}
        options={[
          { id: "success", text: "Success" },
          { id: "failure", text: "Failure" },
        ]}
      />
      {isSuccess ? (
        <>
          <FormField
            label="Payload"
            description="What the waiting operation returns. At most 1 MiB."
          >
            <Textarea
              value={payload}
              rows={8}
              ariaLabel="Payload"
              onChange={({ detail }) => setPayload(detail.value)}
            />
          </FormField>
          {problem && (
            <Alert type="warning">
              {problem}. It is sent as it is; SDKs that expect JSON fail on it.
            </Alert>
          )}
        </>
      ) : (
        <>
          <FormField label="Error type">
            <Input value={type} onChange={({ detail }) => setType(detail.value)} />
          </FormField>
          <FormField label="Error message" description="What the function sees as the reason.">
            <Textarea
              value={message}
              rows={4}
              ariaLabel="Error message"
              onChange={({ detail }) => setMessage(detail.value)}
            />
          </FormField>
        </>
      )}
    </ConfirmModal>
  );
}

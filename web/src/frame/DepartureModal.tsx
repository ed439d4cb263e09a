import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { answerDeparture, usePendingDeparture } from "../state/guard";

/** Asks before unsaved changes are left behind. */
export function DepartureModal() {
  const isAsking = usePendingDeparture() !== null;
  if (!isAsking) return null;
  return (
    <Modal
      visible
      header="Leave with unsaved changes?"
      closeAriaLabel="Close"
      onDismiss={() => answerDeparture(false)}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={() => answerDeparture(false)}>
              Stay
            </Button>
            <Button variant="primary" onClick={() => answerDeparture(true)}>
              Leave
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      What you have changed here is not deployed yet. It stays in this tab until you close it.
    </Modal>
  );
}

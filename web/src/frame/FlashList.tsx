import Flashbar from "@cloudscape-design/components/flashbar";
import ProgressBar from "@cloudscape-design/components/progress-bar";
import { Goto } from "../parts/Goto";
import { dismissFlash, type Flash, useFlashes } from "../state/flash";

/** The messages, newest first. */
export function FlashList() {
  const flashes = useFlashes();
  return (
    <Flashbar
      stackItems={flashes.length > 3}
      items={flashes.map((flash) => ({
        id: flash.id,
        type: flash.type === "in-progress" ? "info" : flash.type,
        loading: flash.type === "in-progress",
        header: flash.header,
        content: <FlashContent flash={flash} />,
        dismissible: flash.type !== "in-progress",
        dismissLabel: "Dismiss",
        onDismiss: () => dismissFlash(flash.id),
      }))}
      i18nStrings={{
        ariaLabel: "Messages",
        notificationBarText: "Messages",
        notificationBarAriaLabel: "Show all messages",
        errorIconAriaLabel: "Error",
        successIconAriaLabel: "Success",
        infoIconAriaLabel: "Info",
        warningIconAriaLabel: "Warning",
        inProgressIconAriaLabel: "In progress",
      }}
    />
  );
}

function FlashContent({ flash }: { flash: Flash }) {
  return (
    <>
      {flash.progress !== undefined && (
        <ProgressBar variant="flash" value={flash.progress} ariaLabel={flash.header} />
      )}
      {flash.content}
      {flash.details && flash.details.length > 0 && (
        <ul>
          {flash.details.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
      {flash.link && (
        <>
          {" "}
          <Goto place={flash.link.place} color="inverted">
            {flash.link.text}
          </Goto>
        </>
      )}
    </>
  );
}

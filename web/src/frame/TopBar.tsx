import TopNavigation from "@cloudscape-design/components/top-navigation";
import { href, places, useGo } from "../state/places";
import { setPreferences, usePreferences } from "../state/preferences";
import { useSession } from "../state/session";
import icon from "./icon.svg";

const LOOKS = [
  { id: "light", text: "Light" },
  { id: "dark", text: "Dark" },
  { id: "system", text: "As the system" },
] as const;
const DENSITIES = [
  { id: "comfortable", text: "Comfortable" },
  { id: "compact", text: "Compact" },
] as const;

/** The bar on top: whose console this is, where it runs, and how it looks. */
export function TopBar() {
  const session = useSession();
  const preferences = usePreferences();
  const go = useGo();
  const mark = (isChosen: boolean) => (isChosen ? ("check" as const) : undefined);
  return (
    <div id="top">
      <TopNavigation
        identity={{
          href: href("/"),
          title: "Perdure",
          logo: { src: icon, alt: "" },
          onFollow: (event) => {
            event.preventDefault();
            go(places.functions);
          },
        }}
        utilities={[
          {
            type: "menu-dropdown",
            text: session.region,
            title: "Where this runs",
            ariaLabel: `Region ${session.region}, account ${session.account_id}`,
            items: [
              { id: "account", text: `Account ${session.account_id}`, disabled: true },
              { id: "node", text: `Node ${session.node_id}`, disabled: true },
              { id: "mode", text: `perdure ${session.mode}`, disabled: true },
              { id: "quotas", text: `Quotas: ${session.quotas}`, disabled: true },
            ],
          },
          {
            type: "menu-dropdown",
            iconName: "settings",
            title: "Settings",
            ariaLabel: "Settings",
            items: [
              {
                id: "mode",
                text: "Look",
                items: LOOKS.map(({ id, text }) => ({
                  id,
                  text,
                  iconName: mark(preferences.mode === id),
                })),
              },
              {
                id: "density",
                text: "Density",
                items: DENSITIES.map(({ id, text }) => ({
                  id,
                  text,
                  iconName: mark(preferences.density === id),
                })),
              },
            ],
            onItemClick: ({ detail }) => {
              const look = LOOKS.find(({ id }) => id === detail.id);
              const density = DENSITIES.find(({ id }) => id === detail.id);
              if (look) setPreferences({ mode: look.id });
              if (density) setPreferences({ density: density.id });
            },
          },
        ]}
        i18nStrings={{
          overflowMenuTriggerText: "More",
          overflowMenuTitleText: "All",
          overflowMenuBackIconAriaLabel: "Back",
          overflowMenuDismissIconAriaLabel: "Close the menu",
        }}
      />
    </div>
  );
}

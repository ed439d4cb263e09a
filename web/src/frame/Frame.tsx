import AppLayoutToolbar from "@cloudscape-design/components/app-layout-toolbar";
import BreadcrumbGroup from "@cloudscape-design/components/breadcrumb-group";
import SideNavigation from "@cloudscape-design/components/side-navigation";
import { type ReactNode, useMemo, useState } from "react";
import { useLocation } from "wouter";
import { FrameContext, type FrameSlots } from "../state/frame";
import { BASE, href, places, useGo } from "../state/places";
import { useSession } from "../state/session";
import { FlashList } from "./FlashList";
import { TopBar } from "./TopBar";

const SECTIONS = [
  { text: "Functions", place: places.functions },
  { text: "Executions", place: places.executions },
  { text: "Callbacks", place: places.callbacks },
  { text: "Operations", place: places.operations },
] as const;

const NARROW_PX = 688;
const WIDE_PX = 1_200;

interface Panel {
  readonly position: "side" | "bottom";
  readonly size: number;
}

/** What is around every page: top bar, navigation, breadcrumbs, messages, split panel. */
export function Frame({ children }: { children: ReactNode }) {
  const [location] = useLocation();
  const session = useSession();
  const go = useGo();
  const [isOpen, setOpen] = useState(() => window.innerWidth > NARROW_PX);
  const [slots, setSlots] = useState<FrameSlots>({ crumbs: [] });
  const [panel, setPanel] = useState<Panel>(() => ({
    position: window.innerWidth >= WIDE_PX ? "side" : "bottom",
    size: 400,
  }));
  const context = useMemo(() => ({ setSlots }), []);
  const active = SECTIONS.find((one) => location.startsWith(one.place));
  const follow = (event: { preventDefault: () => void; detail: { href: string } }): void => {
    if (!event.detail.href.startsWith(BASE)) return;
    event.preventDefault();
    go(event.detail.href.slice(BASE.length) || "/");
  };

  return (
    <FrameContext value={context}>
      <TopBar />
      <AppLayoutToolbar
        headerSelector="#top"
        contentType={slots.contentType ?? "default"}
        maxContentWidth={Number.MAX_VALUE}
        toolsHide
        navigationOpen={isOpen}
        onNavigationChange={({ detail }) => setOpen(detail.open)}
        navigationWidth={220}
        breadcrumbs={
          <BreadcrumbGroup
            ariaLabel="Breadcrumbs"
            items={[
              { text: "Perdure", href: href("/") },
              ...slots.crumbs.map((crumb) => ({ text: crumb.text, href: href(crumb.place) })),
            ]}
            onFollow={follow}
          />
        }
        navigation={
          <SideNavigation
            header={{ text: "Durable functions", href: href("/") }}
            activeHref={active ? href(active.place) : ""}
            items={[
              ...SECTIONS.map((one) => ({
                type: "link" as const,
                text: one.text,
                href: href(one.place),
              })),
              { type: "divider" },
              {
                type: "section-group",
                title: session.mode === "dev" ? "Development server" : "Server",
                items: [
                  { type: "link", text: `Version ${session.version}`, href: href("/operations") },
                ],
              },
            ]}
            onFollow={follow}
          />
        }
        notifications={<FlashList />}
        stickyNotifications
        splitPanel={slots.splitPanel}
        splitPanelOpen={slots.splitPanel !== undefined}
        splitPanelPreferences={{ position: panel.position }}
        onSplitPanelPreferencesChange={({ detail }) =>
          setPanel((before) => ({ ...before, position: detail.position }))
        }
        splitPanelSize={panel.size}
        onSplitPanelResize={({ detail }) =>
          setPanel((before) => ({ ...before, size: detail.size }))
        }
        onSplitPanelToggle={({ detail }) => {
          if (!detail.open) slots.onSplitPanelClose?.();
        }}
        ariaLabels={{
          navigation: "Side navigation",
          navigationClose: "Close the side navigation",
          navigationToggle: "Open the side navigation",
          notifications: "Messages",
        }}
        content={children}
      />
    </FrameContext>
  );
}

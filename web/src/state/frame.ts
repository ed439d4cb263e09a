/** What a page gives to the frame around it: breadcrumbs, how wide it is, a split panel. */

import { createContext, type ReactNode, useContext, useEffect } from "react";

export interface Crumb {
  readonly text: string;
  readonly place: string;
}

export interface FrameSlots {
  readonly crumbs: readonly Crumb[];
  readonly contentType?: "default" | "table" | "form";
  readonly splitPanel?: ReactNode;
  readonly onSplitPanelClose?: () => void;
}

interface Context {
  readonly setSlots: (change: (slots: FrameSlots) => FrameSlots) => void;
}

export const FrameContext = createContext<Context | null>(null);

function useFrame(): Context {
  const context = useContext(FrameContext);
  if (context === null) throw new Error("a page stands outside the frame");
  return context;
}

/** The page's place and width. */
export function useCrumbs(
  crumbs: readonly Crumb[],
  contentType: "default" | "table" | "form" = "default",
): void {
  const { setSlots } = useFrame();
  const key = JSON.stringify(crumbs);
  useEffect(() => {
    setSlots((slots) => ({ ...slots, crumbs: JSON.parse(key) as Crumb[], contentType }));
  }, [key, contentType, setSlots]);
}

/** Shows `panel` below the page as long as it is given. */
export function useSplitPanel(panel: ReactNode | undefined, onClose: () => void): void {
  const { setSlots } = useFrame();
  useEffect(() => {
    setSlots((slots) => ({ ...slots, splitPanel: panel, onSplitPanelClose: onClose }));
  }, [panel, onClose, setSlots]);
  useEffect(() => () => setSlots((slots) => ({ ...slots, splitPanel: undefined })), [setSlots]);
}

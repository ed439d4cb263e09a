import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import { type ReactNode, useEffect } from "react";
import { type Crumb, useCrumbs } from "../state/frame";

interface Props {
  readonly title: string;
  readonly crumbs: readonly Crumb[];
  readonly description?: ReactNode;
  readonly actions?: ReactNode;
  readonly info?: ReactNode;
  readonly contentType?: "default" | "table" | "form";
  /** The page is one table, whose own header is the page's. */
  readonly isBare?: boolean;
  readonly children: ReactNode;
}

/** A page: its title in the page and in the tab, its place, its content. */
export function Page({ title, crumbs, contentType, isBare, children, ...header }: Props) {
  useTitle(title);
  useCrumbs(crumbs, contentType);
  if (isBare) return children;
  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          actions={header.actions}
          description={header.description}
          info={header.info}
        >
          {title}
        </Header>
      }
    >
      {children}
    </ContentLayout>
  );
}

/** The title in the browser's tab. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} | Perdure`;
  }, [title]);
}

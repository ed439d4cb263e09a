import "@cloudscape-design/global-styles/index.css";
import "./frame/page.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./frame/App";
import { startPreferences } from "./state/preferences";

startPreferences();
const root = document.getElementById("root");
if (root === null) throw new Error("the document has no element for the page");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);

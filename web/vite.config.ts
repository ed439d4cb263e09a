import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { lean, leaveOut, precompress } from "./bundle/lean.ts";

/** The server puts a fresh nonce in the place of this word, each time it sends the page. */
const NONCE_PLACEHOLDER = "__CSP_NONCE__";

const server = process.env.PERDURE_ENDPOINT ?? "http://127.0.0.1:9070";

export default defineConfig({
  base: "/console/",
  html: { cspNonce: NONCE_PLACEHOLDER },
  plugins: [react(), leaveOut(), lean(), precompress()],
  resolve: {
    alias: {
      // The package of tokens names other variables than those that the components define: theirs.
      "@cloudscape-design/design-tokens": fileURLToPath(
        new URL(
          "node_modules/@cloudscape-design/components/internal/generated/styles/tokens.js",
          import.meta.url,
        ),
      ),
    },
  },
  build: {
    outDir: "../src/perdure/console/page",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1500,
  },
  server: {
    proxy: {
      "^/console/(api|approve)/": server,
      "^/(2015-03-31|2016-08-19|2017-03-31|2017-10-31|2019-09-30|2025-12-01)/": server,
      "^/$": server,
    },
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});

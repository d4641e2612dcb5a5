import { defineConfig } from "vite";

// One script and one style sheet with names that change with their contents: they may be kept for ever.
export default defineConfig({
  base: "/",
  build: {
    outDir: "built",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  server: { proxy: { "/v1": { target: "http://127.0.0.1:8080", ws: true }, "/words.json": "http://127.0.0.1:8080" } },
});

// How the dashboard is built: run by the package's build hook and by `npm run dev`.
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  resolve: {
    alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) },
  },
  build: {
    // The server's content security policy allows no data: or inline sources.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Hashed names live alone in assets/, so that the server may let browsers keep them for ever.
    assetsDir: "assets",
    sourcemap: false,
    // The licences of what is bundled, beside the bundle.
    license: { fileName: "licenses.txt" },
  },
  server: {
    host: "127.0.0.1",
    // `npm run dev` beside a running `strapline up` or `strapline demo`.
    proxy: { "/ws": { target: "http://127.0.0.1:8420", ws: true } },
  },
});

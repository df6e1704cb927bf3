// Builds the scripts and styles that the pages inline; the result is checked in, so no node is needed to use profpipe.
// Another page: its entry file in src/ and one line here. `make frontend` writes templates/assets/<name>.
import { build } from "esbuild";
import { fileURLToPath } from "node:url";

const ENTRIES = {
  "report.js": "src/main.ts",
  "report.css": "src/report.css",
  "history.js": "src/history.ts",
  "history.css": "src/history.css",
};
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const out = process.argv[2] ?? here("../templates/assets");
const shared = { bundle: true, minify: true, charset: "ascii", logLevel: "warning" };

for (const [name, entry] of Object.entries(ENTRIES)) {
  const script = name.endsWith(".js");
  await build({
    ...shared,
    entryPoints: [here(entry)],
    outfile: `${out}/${name}`,
    // A bundled library's licence line stays; our own sources hold no legal comment.
    legalComments: "inline",
    ...(script ? { format: "iife", target: "es2020" } : { target: "chrome100" }),
  });
}

// Builds the script and the style that the report inlines; the result is checked in, so no node is needed to use profpipe.
import { build } from "esbuild";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const out = process.argv[2] ?? here("../templates/assets");
const shared = { bundle: true, minify: true, legalComments: "none", charset: "ascii", logLevel: "warning" };

await build({ ...shared, entryPoints: [here("src/main.ts")], outfile: `${out}/report.js`, format: "iife", target: "es2020" });
await build({ ...shared, entryPoints: [here("src/report.css")], outfile: `${out}/report.css`, target: "chrome100" });

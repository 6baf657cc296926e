// Bundles what the browser face loads on demand into web/assets/dist, which is
// embedded into the program by the next "go build". Needs: npm ci --ignore-scripts

import { build } from "esbuild";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { constants, gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url)), out = join(here, "assets", "dist");
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const common = { bundle: true, minify: true, legalComments: "none", target: ["es2022"], logLevel: "info", outdir: out };
await build({ ...common, entryPoints: [join(here, "src", "editor.js"), join(here, "src", "math.js")], format: "esm", alias: { "@codemirror/lang-html": join(here, "src", "nohtml.js") } });
await build({ ...common, entryPoints: [join(here, "src", "mermaid.js")], format: "iife" });

for (const name of readdirSync(out)) {
  const file = join(out, name), bytes = readFileSync(file);
  writeFileSync(file + ".gz", gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION }));
}

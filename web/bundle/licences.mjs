// Put the licence of every package that a bundle has something of at the bundle's head.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

const [metafile, bundle] = process.argv.slice(2);
const inputs = Object.keys(JSON.parse(readFileSync(metafile, "utf8")).inputs);
const packages = new Set(inputs.map((path) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1]).filter(Boolean));
const named = [...packages].sort().map((name) => {
  const folder = `node_modules/${name}`;
  const { version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  if (!file) throw new Error(`${name} brings no licence: see why before it is bundled`);
  return { title: `${name} ${version} (${license})`, text: readFileSync(`${folder}/${file}`, "utf8").trim() };
});
const texts = new Map();
for (const { title, text } of named) texts.set(text, [...(texts.get(text) ?? []), title]);
const head = [...texts].map(([text, titles]) => `${titles.join("\n")}\n\n${text}`).join(`\n\n${"-".repeat(60)}\n\n`);
if (head.includes("*/")) throw new Error("a licence ends the comment that it stands in");
writeFileSync(bundle, `/*\nMade by web/bundle/build.sh from these packages:\n\n${head}\n*/\n${readFileSync(bundle, "utf8")}`);

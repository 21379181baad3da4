// Types into examples/browser-form in a headless Chromium: node browser.js FOLDER < forms. FOLDER has what the page
// takes from `generated`. A form is a line of JSON {field: text}; the answer says what stands beside each field.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const generated = process.argv[2];
const example = fileURLToPath(new URL("../../examples/browser-form", import.meta.url));
const types = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };

const server = createServer(async (request, response) => {
  const path = request.url === "/" ? "/index.html" : request.url;
  const file = path.startsWith("/generated/") ? join(generated, path.slice("/generated".length)) : join(example, path);
  try {
    const bytes = await readFile(file);
    response.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream" }).end(bytes);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));

const executablePath = process.env.PORTCULLIS_CHROMIUM ?? "/usr/bin/chromium";
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
try {
  const page = await browser.newPage({ locale: "en-US" });
  for await (const line of createInterface({ input: process.stdin })) {
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    await page.locator("#signup[data-ready]").waitFor();
    for (const [field, text] of Object.entries(JSON.parse(line))) {
      await page.locator(`[name=${field}]`).pressSequentially(text);
    }
    const beside = await page.locator("output").evaluateAll((all) => all.map((one) => [one.dataset.for, one.textContent]));
    const mayBeSent = await page.locator("button").isEnabled();
    console.log(JSON.stringify({ beside: Object.fromEntries(beside), mayBeSent }));
  }
} finally {
  await browser.close();
  server.close();
}

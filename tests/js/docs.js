// Opens the page /docs of a server in a headless Chromium: node docs.js ADDRESS < questions. One answer for each line of
// standard input, which says what to type into the filter.
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const address = process.argv[2];
const executablePath = process.env.PORTCULLIS_CHROMIUM ?? "/usr/bin/chromium";
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });

/** Whether Tab and Enter open the first operation that is shown. */
async function opensByKeyboard(page) {
  await page.locator("#filter").focus();
  await page.keyboard.press("Tab");
  for (let steps = 0; steps < 20; steps += 1) {
    const isOperation = await page.evaluate(() => document.activeElement.parentElement?.matches(".operation") ?? false);
    if (isOperation) break;
    await page.keyboard.press("Tab");
  }
  await page.keyboard.press("Enter");
  return page.evaluate(() => document.activeElement.parentElement?.open ?? false);
}

try {
  const page = await browser.newPage({ locale: "en-US" });
  const [asked, failed] = [[], []];
  page.on("request", (request) => asked.push(request.url()));
  page.on("console", (message) => message.type() === "error" && failed.push(message.text()));
  page.on("pageerror", (error) => failed.push(String(error)));
  for await (const line of createInterface({ input: process.stdin })) {
    await page.goto(`http://${address}/docs`);
    await page.locator("#documents[aria-busy=false]").waitFor();
    const operations = await page.locator("[data-operation]").evaluateAll((all) => all.map((one) => one.dataset.operation));
    const rendered = await page.locator(".operation").evaluateAll((all) =>
      all.map((one) => ({ id: one.id, text: one.textContent, tables: one.querySelectorAll("caption").length })));
    const broken = await page.locator("#documents a[href^='#']").evaluateAll((all) =>
      all.map((one) => decodeURIComponent(one.hash.slice(1))).filter((id) => document.getElementById(id) === null));
    await page.locator("#filter").fill(JSON.parse(line));
    const shown = await page.locator(".operation:visible [data-operation]").evaluateAll((all) =>
      all.map((one) => one.dataset.operation));
    const opens = await opensByKeyboard(page);
    console.log(JSON.stringify({ operations, rendered, broken, shown, opens, asked, failed }));
  }
} finally {
  await browser.close();
}

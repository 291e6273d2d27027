// Opens pages of `bedrock-profiles report` in Chromium, as a reader does: without a console message or a request, in both themes, by
// keyboard, for a screen reader (axe-core), and on paper. Usage: node page.mjs BINARY FOLDER [CORPUS]; screenshots are written to FOLDER.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const [binary, folder, corpus] = process.argv.slice(2);
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TODAY = ["--today", "2026-11-23"];
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
mkdirSync(folder, { recursive: true });

/** The page of a report. The exit code is 2 if a file is broken on purpose. */
function report(name, args) {
  const page = join(folder, `${name}.html`);
  const { status, stderr } = spawnSync(binary, ["report", ...args, ...TODAY, "-o", `html=${page}`]);
  assert.ok(status === 0 || status === 2, String(stderr));
  return page;
}

/** A file of Pods, a finding each, in the regions and with the models of a large cluster. */
function manyFindings(count) {
  const regions = ["eu-west-1", "eu-central-1", "us-east-1", "us-west-2", "ap-northeast-1", "ap-southeast-2", "eu-central-2"];
  const models = ["anthropic.claude-sonnet-4-6", "anthropic.claude-sonnet-4-5-20250929-v1:0", "amazon.nova-pro-v1:0"];
  const pods = Array.from({ length: count }, (_, at) => JSON.stringify({
    apiVersion: "v1", kind: "Pod", metadata: { name: `chat-${at}`, namespace: `team-${at % 40}` },
    spec: { containers: [{ name: "app", env: [
      { name: "AWS_REGION", value: regions[at % regions.length] },
      { name: "MODEL", value: models[at % models.length] },
    ] }] },
  }));
  const file = join(folder, "many.yaml");
  writeFileSync(file, pods.join("\n---\n"));
  return file;
}

/** Opens a page; returns it with what the console said, and how long it took to load and to draw. */
async function open(browser, file, theme) {
  const page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
  const messages = [];
  page.on("console", (message) => messages.push(message.text()));
  page.on("pageerror", (error) => messages.push(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith("file:")) messages.push(`request: ${request.url()}`);
  });
  const begin = performance.now();
  await page.goto(pathToFileURL(resolve(file)).href, { waitUntil: "load" });
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
  return { page, messages, time: performance.now() - begin };
}

/** The rules of axe-core that the page breaks. */
async function violations(page) {
  await page.setBypassCSP(true);
  await page.reload({ waitUntil: "load" });
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`);
}

const focused = (page) => page.evaluate(() => document.activeElement.id || document.activeElement.className);
const count = (page) => page.$eval("#count", (one) => one.textContent);
const visible = (page) => page.$$eval("#list tbody tr", (rows) => rows.filter((row) => row.checkVisibility()).length);

/** The findings are filtered by keyboard alone. */
async function filtersByKeyboard(page, all) {
  await page.keyboard.press("Tab");
  assert.equal(await focused(page), "skip", "the first stop of the keyboard is the skip link");
  assert.equal(await visible(page), 500);
  await page.focus("#words");
  await page.keyboard.type("chat-77 ap-");
  const found = await visible(page);
  assert.ok(found > 0 && found < 500, `${found} of ${all}`);
  assert.equal(await count(page), `${found} of ${found} shown (${all} in all)`);
  await page.keyboard.press("Tab");
  assert.equal(await focused(page), "namespace");
  // The second severity is that of changes.
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Space");
  assert.ok(await visible(page) < found, "a severity is hidden");
  await page.$eval("#filter", (form) => form.reset());
  await page.waitForFunction((expected) => document.getElementById("count").textContent === expected, {}, `500 of ${all} shown`);
  await page.focus("#more button:last-child");
  await page.keyboard.press("Enter");
  assert.equal(await visible(page), all);
}

const browser = await puppeteer.launch({
  executablePath: CHROMIUM,
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--allow-file-access-from-files"],
});
try {
  const many = 10_000;
  const pages = [["many", report("many", [manyFindings(many)])], ["samples", report("samples", ["docs/samples", "tests/fixtures/exempt", "tests/fixtures/ended"])]];
  if (corpus && existsSync(corpus)) pages.push(["corpus", report("corpus", [corpus])]);
  for (const [name, file] of pages) {
    for (const theme of ["light", "dark"]) {
      const { page, messages, time } = await open(browser, file, theme);
      assert.deepEqual(messages, [], `${name}, ${theme}`);
      const rows = await page.$$eval("#list tbody tr", (all) => all.length);
      console.log(`${name}, ${theme}: ${rows} findings, ${(statSync(file).size / 1e6).toFixed(1)} MB, ${Math.round(time)} ms`);
      await page.screenshot({ path: join(folder, `${name}-${theme}.png`) });
      if (name === "many") {
        assert.equal(rows, many);
        assert.ok(time < 2_000, `${Math.round(time)} ms`);
        if (theme === "light") await filtersByKeyboard(page, many);
      } else {
        assert.deepEqual(await violations(page), [], `${name}, ${theme}: axe-core`);
        const paper = await page.pdf({ format: "A4" });
        writeFileSync(join(folder, `${name}.pdf`), paper);
      }
      await page.close();
    }
  }
} finally {
  await browser.close();
}

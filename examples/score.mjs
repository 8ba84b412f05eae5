#!/usr/bin/env node
// Scores a file: score.mjs FILE. The token comes from BONAFIDE_TOKEN or from the first token's file.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";

const token =
  process.env.BONAFIDE_TOKEN ??
  readFileSync(execFileSync("bonafide", ["token", "path"], { encoding: "utf8" }).trim(), "utf8").trim();

const reply = await fetch("http://127.0.0.1:8017/v1/score", {
  method: "POST",
  headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
  body: JSON.stringify({ text: readFileSync(process.argv[2], "utf8") }),
});
const report = await reply.json();
if (!reply.ok) {
  console.error(`${reply.status} ${report.error.code}: ${report.error.message}`);
  process.exit(1);
}
for (const block of report.blocks) {
  console.log([block.id, block.verdict, block.probability].join("\t"));
  for (const evidence of block.evidence) {
    console.log(`\t${evidence.message}`);
  }
}

// What the functions of a profile are called, read once a window has closed: those of a script with a source map as in
// the source that people wrote, and those without a name by whom they are passed to and where they are written:
// `callback of app.get('/products')`, `callback of prices.map in listed`. A line would change with every commit.
'use strict';

const { pathToFileURL } = require('node:url');
const { linesOf, mapOf, mapped } = require('./source_maps');

// The call that a function is passed to, with its first argument where that is a text, at the end of what stands before.
const PASSED = /([\w$.]+)\((?:\s*(['"`][^'"`]{0,40}['"`])\s*,)?[^()]*$/;

// The profile with its frames renamed: nodes of a .cpuprofile, a tree of a heap profile, or counts. `coverage` = V8's
// list of scripts with the ranges of their functions.
function named(profile, coverage) {
  const scripts = new Scripts(coverage);
  const waiting = [...(profile.nodes ?? []), ...(profile.functions ?? []), ...(profile.head ? [profile.head] : [])];
  while (waiting.length) {
    const item = waiting.pop();
    rename(item.callFrame ?? item, scripts);
    if (profile.head) for (const child of item.children) waiting.push(child);
  }
  return profile;
}

function rename(frame, scripts) {
  if (frame.url?.startsWith('/')) frame.url = pathToFileURL(frame.url).href; // a heap profile has paths
  if (!frame.url?.startsWith('file:')) return;
  const script = scripts.of(frame.url);
  const around = frame.functionName ? undefined : script.around(frame);
  const found = script.source(frame) ?? frame;
  if (!found.functionName && frame.lineNumber >= 0) {
    const line = script.lines(found)[found.lineNumber] ?? '';
    found.functionName = described(line.slice(0, found.columnNumber), around && (script.source(around) ?? around));
  }
  const { functionName, url, lineNumber, columnNumber } = found;
  Object.assign(frame, { functionName, url, lineNumber, columnNumber });
}

function described(before, around) {
  const [, call, text] = PASSED.exec(before) ?? [];
  const passed = call?.replace(/^\.+/, '');
  const place = around ? ` in ${around.functionName}` : '';
  if (!passed) return around ? `(anonymous)${place}` : '';
  return `callback of ${passed}${text ? `(${text})` : ''}${place}`;
}

class Scripts {
  constructor(coverage) {
    this.found = new Map();
    this.functions = new Map(coverage.map(({ url, functions }) => [url, functions]));
  }

  of(url) {
    if (!this.found.has(url)) this.found.set(url, new Script(url, this.functions.get(url) ?? []));
    return this.found.get(url);
  }
}

class Script {
  constructor(url, functions) {
    this.url = url;
    this.text = linesOf(url);
    this.read = mapOf(url, this.text);
    this.texts = new Map([[url, this.text]]);
    this.begins = [0];
    for (const line of this.text) this.begins.push(this.begins[this.begins.length - 1] + line.length + 1);
    this.named = functions.filter(({ functionName }) => functionName).map((each) => ({ ...each, ...each.ranges[0] }));
  }

  source(frame) {
    return this.read && mapped(frame, this.read.map, this.text);
  }

  lines({ url }) {
    if (!this.texts.has(url)) this.texts.set(url, this.read.texts.get(url) ?? linesOf(url));
    return this.texts.get(url);
  }

  // The innermost function with a name that is written around this one.
  around({ lineNumber, columnNumber }) {
    const at = this.begins[lineNumber] + columnNumber;
    const inside = this.named.filter(({ startOffset, endOffset }) => startOffset < at && at < endOffset);
    inside.sort((a, b) => a.endOffset - a.startOffset - (b.endOffset - b.startOffset));
    return inside.length ? { functionName: inside[0].functionName, ...this.place(inside[0].startOffset) } : undefined;
  }

  place(offset) {
    let lineNumber = this.begins.length - 1;
    while (this.begins[lineNumber] > offset) lineNumber -= 1;
    return { lineNumber, columnNumber: offset - this.begins[lineNumber] };
  }
}

module.exports = { named };

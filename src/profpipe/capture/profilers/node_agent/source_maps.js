// From a place in a compiled or bundled script to the source that people wrote: the script's last line names its map.
'use strict';

const fs = require('node:fs');
const { SourceMap } = require('node:module');
const { fileURLToPath } = require('node:url');

const COMMENT = /\/\/[#@] sourceMappingURL=(\S+)\s*$/;
const TAIL = 4096; // the comment is the script's last line; a map inside it is searched for in the whole file
const NEAR = 60; // a function's name stands this close to where V8 says that it begins

// The text of a source in lines; none where it cannot be read.
function linesOf(url) {
  try {
    return fs.readFileSync(fileURLToPath(url), 'utf8').split('\n');
  } catch {
    return [];
  }
}

// The map of a script, and the texts of its sources that are inside the map; undefined where there is none to read.
function mapOf(url, lines) {
  try {
    const text = lines.slice(-3).join('\n');
    const [, where] = COMMENT.exec(text.slice(-TAIL)) ?? COMMENT.exec(text) ?? [];
    if (!where) return undefined;
    const inside = where.startsWith('data:');
    const base = inside ? url : new URL(where, url).href;
    const read = absolute(JSON.parse(inside ? decoded(where) : fs.readFileSync(fileURLToPath(base), 'utf8')), base);
    const texts = new Map(read.sources.map((source, at) => [source, read.sourcesContent?.[at]?.split('\n')]));
    return { map: new SourceMap(read), texts };
  } catch {
    return undefined; // without its map a script keeps its own names
  }
}

function decoded(url) {
  const comma = url.indexOf(',');
  const data = url.slice(comma + 1);
  return url.slice(0, comma).endsWith(';base64') ? Buffer.from(data, 'base64').toString() : decodeURIComponent(data);
}

// Sources are named relative to the map, which may lie in another folder than the script, or by the bundler's own scheme.
function absolute(map, base) {
  const root = map.sourceRoot ? `${map.sourceRoot.replace(/\/$/, '')}/` : '';
  const full = (name) => (/^[a-z][a-z+.-]*:/i.test(name) ? name : new URL(root + name, base).href);
  return { ...map, sourceRoot: undefined, sources: map.sources.map((name) => (name === null ? '' : full(name))) };
}

// The function of a source behind a function of the script whose text is `lines`; undefined where the map has none.
function mapped({ functionName, lineNumber, columnNumber }, map, lines) {
  const found = map.findEntry(lineNumber, columnNumber);
  if (!found?.originalSource) return undefined;
  return {
    functionName: nameOf(functionName, lineNumber, columnNumber, map, lines),
    url: found.originalSource,
    lineNumber: found.originalLine,
    columnNumber: found.originalColumn,
  };
}

// A minified name has an entry of its own, at the place where it stands in the script.
function nameOf(functionName, lineNumber, columnNumber, map, lines) {
  const last = functionName.split('.').pop();
  const place = last ? placeOf(last, lines[lineNumber] ?? '', columnNumber) : -1;
  if (place < 0) return functionName;
  const entry = map.findEntry(lineNumber, place);
  return entry.name && entry.generatedLine === lineNumber && entry.generatedColumn === place ? entry.name : functionName;
}

// Samples say that a function begins at its parameters, which follow the name; coverage, at the word `function` before it.
function placeOf(name, line, column) {
  const word = new RegExp(`(?<![\\w$])${name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}(?![\\w$])`, 'g');
  const begin = Math.max(column - NEAR, 0);
  const before = [...line.slice(begin, column).matchAll(word)].pop();
  const after = [...line.slice(column, column + NEAR).matchAll(word)].shift();
  const first = /^(?:async\s+)?function\b/.test(line.slice(column, column + NEAR)) ? after : before;
  const found = first ?? before ?? after;
  return found ? found.index + (found === before ? begin : column) : -1;
}

module.exports = { linesOf, mapOf, mapped };

'use strict';

const { readFileSync } = require('node:fs');

const line = `${'word '.repeat(30)}${' '.repeat(120)}x`;

function tidied() {
  let end = line.length;
  while (line[end - 1] === ' ') end -= 1;
  return line.slice(0, end).length;
}

// Each blank begins a new attempt that runs to the last one: 7,000 steps for 120 blanks.
function tidiedByBacktracking() {
  return line.replace(/\s+$/, '').length;
}

const prices = Array.from({ length: 20 }, (_, at) => at * 1.25);
const euros = new Intl.NumberFormat('en', { minimumFractionDigits: 2 });

function pricesWritten() {
  return prices.map((price) => euros.format(price)).join(' ');
}

function pricesByNewFormat() {
  return prices.map((price) => price.toLocaleString('en', { minimumFractionDigits: 2 })).join(' ');
}

const page = readFileSync(__filename, 'utf8').length;

function pageKept() {
  return page;
}

function pageReadAgain() {
  return readFileSync(__filename, 'utf8').length;
}

module.exports = {
  tidied,
  tidiedByBacktracking,
  pricesWritten,
  pricesByNewFormat,
  pageKept,
  pageReadAgain,
};

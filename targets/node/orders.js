'use strict';

const { pbkdf2Sync } = require('node:crypto');

const newest = {
  number: 4711,
  lines: Array.from({ length: 40 }, (_, at) => ({ product: `product ${at}`, quantity: at % 5, cents: at * 35 })),
};

function copied() {
  return { ...newest, lines: newest.lines.map((line) => ({ ...line })) }.lines.length;
}

function copiedByJSON() {
  return JSON.parse(JSON.stringify(newest)).lines.length;
}

const key = pbkdf2Sync('secret', 'salt', 200, 32, 'sha256').toString('hex');

function keyKept() {
  return key;
}

function keyDerivedAgain() {
  return pbkdf2Sync('secret', 'salt', 200, 32, 'sha256').toString('hex');
}

function listPushed() {
  const list = [];
  for (let at = 0; at < 200; at += 1) list.push(at);
  return list.length;
}

function listBySpreading() {
  let list = [];
  for (let at = 0; at < 200; at += 1) list = [...list, at];
  return list.length;
}


const kept = new Map(Array.from({ length: 500 }, (_, at) => [`country ${at}`, at]));

function rateKept() {
  return kept.get('country 17');
}

function rateFromNewTable() {
  const table = new Map();
  for (let at = 0; at < 500; at += 1) table.set(`country ${at}`, at);
  return table.get('country 17');
}

const words = ['1', 'two', '3', 'four', '5', 'six', '7', 'eight', '9', 'ten'];

function numbersChecked() {
  return words.filter((word) => Number.isInteger(Number(word))).length;
}

function numbersByThrowing() {
  let found = 0;
  for (const word of words) {
    try {
      if (!Number.isInteger(Number(word))) throw new Error(`${word} is no number`);
      found += 1;
    } catch {
      // not counted
    }
  }
  return found;
}

module.exports = {
  copied,
  copiedByJSON,
  keyKept,
  keyDerivedAgain,
  listPushed,
  listBySpreading,
  rateKept,
  rateFromNewTable,
  numbersChecked,
  numbersByThrowing,
};

// One server with eight habits that cost: each path answers in a usual way, or by the habit that the environment
// variable HABIT names. causes.toml has what a report must say of each.
'use strict';

const { createServer } = require('node:http');
const orders = require('./orders');
const texts = require('./texts');
const { listen } = require('./products');

// Name of a path -> the usual way and the habit. Both give the same answer.
const paths = {
  regexp: [texts.tidied, texts.tidiedByBacktracking],
  money: [texts.pricesWritten, texts.pricesByNewFormat],
  page: [texts.pageKept, texts.pageReadAgain],
  copy: [orders.copied, orders.copiedByJSON],
  key: [orders.keyKept, orders.keyDerivedAgain],
  spread: [orders.listPushed, orders.listBySpreading],
  table: [orders.rateKept, orders.rateFromNewTable],
  throwing: [orders.numbersChecked, orders.numbersByThrowing],
  control: [texts.tidied, texts.tidied],
};

const ways = new Map(
  Object.entries(paths).map(([name, [usual, habit]]) => [`/${name}`, process.env.HABIT === name ? habit : usual]),
);

listen(
  createServer((request, response) => {
    const way = ways.get(request.url);
    response.statusCode = way ? 200 : 404;
    response.end(way ? String(way()) : '');
  }),
);

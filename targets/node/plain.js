// The same answer by node:http alone.
'use strict';

const { createServer } = require('node:http');
const { products, listen } = require('./products');

listen(
  createServer((request, response) => {
    response.setHeader('content-type', 'application/json; charset=utf-8');
    response.end(JSON.stringify(products));
  }),
);

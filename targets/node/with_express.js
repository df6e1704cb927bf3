// The same answer by express.
'use strict';

const express = require('express');
const { createServer } = require('node:http');
const { products, listen } = require('./products');

const app = express();
app.get('/', (request, response) => response.json(products));
listen(createServer(app));

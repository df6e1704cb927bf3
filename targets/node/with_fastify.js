// The same answer by fastify.
'use strict';

const app = require('fastify')();
const { products, port } = require('./products');

app.get('/', async () => products);
app.listen({ port: port(), host: '127.0.0.1' }).then((address) => console.log(`ready port=${new URL(address).port}`));

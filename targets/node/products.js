// What the three servers answer with, and how they say that they are ready.
'use strict';

const products = Array.from({ length: 20 }, (_, id) => ({
  id,
  name: `product number ${id}`,
  price: id * 1.25,
  tags: ['new', 'sale'],
}));

// `--port N`; 0, the default, picks one.
function port() {
  const at = process.argv.indexOf('--port');
  return at < 0 ? 0 : Number(process.argv[at + 1]);
}

function listen(server) {
  server.listen(port(), '127.0.0.1', () => console.log(`ready port=${server.address().port}`));
}

module.exports = { products, listen, port };

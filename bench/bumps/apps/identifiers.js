// Two thousand random identifiers.
const { createServer } = require('node:http')
const { v4 } = require('uuid')

createServer((request, response) => {
  let many = 0
  for (let n = 0; n < 2000; n++) many += v4().length
  response.end(String(many))
}).listen(Number(process.argv[2]), '127.0.0.1')

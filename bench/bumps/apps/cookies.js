// Cookie headers of thirty cookies, read forty times.
const { createServer } = require('node:http')
const cookie = require('cookie')

const HEADER = Array.from({ length: 30 }, (_, n) => `name${n}=value${n}`).join('; ')

createServer((request, response) => {
  let many = 0
  for (let n = 0; n < 40; n++) many += Object.keys(cookie.parse(HEADER)).length
  response.end(String(many))
}).listen(Number(process.argv[2]), '127.0.0.1')

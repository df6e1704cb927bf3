// Hostile version ranges: blanks between the two parts. Each differs from the last, because semver keeps what it has read.
const { createServer } = require('node:http')
const { Range } = require('semver')

const BLANKS = ' '.repeat(700)
let asked = 0

createServer((request, response) => {
  let answer
  try {
    answer = new Range(`>=1.2.${asked++}${BLANKS}<2.0.0`).range
  } catch (error) {
    answer = error.message
  }
  response.end(answer)
}).listen(Number(process.argv[2]), '127.0.0.1')

// A short page of express.
const express = require('express')

const app = express()
app.get('/', (request, response) => response.send('a page '.repeat(40)))
app.listen(Number(process.argv[2]), '127.0.0.1')

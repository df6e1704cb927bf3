// A small server for the tests: `item` is called 50 times for each request. With WORKERS=cluster two processes serve, with
// WORKERS=threads a worker thread makes the list.
'use strict';

const cluster = require('node:cluster');
const http = require('node:http');
const { Worker, isMainThread, parentPort } = require('node:worker_threads');

function item(number) {
  return { number, name: `item ${number}` };
}

function list() {
  const items = [];
  for (let number = 0; number < 50; number += 1) items.push(item(number));
  return JSON.stringify(items);
}

function respond(request, response) {
  response.setHeader('content-type', 'application/json');
  response.end(list());
}

// Answers in the order of the requests, each made by the thread.
function serveByThread() {
  const waiting = [];
  const worker = new Worker(__filename);
  worker.on('message', (text) => waiting.shift().end(text));
  http
    .createServer((request, response) => {
      waiting.push(response);
      worker.postMessage('list');
    })
    .listen(Number(process.argv[2]), '127.0.0.1', () => console.log('ready'));
}

if (!isMainThread) {
  parentPort.on('message', () => parentPort.postMessage(list()));
} else if (process.env.WORKERS === 'threads') {
  serveByThread();
} else if (process.env.WORKERS === 'cluster' && cluster.isPrimary) {
  let listening = 0;
  cluster.on('listening', () => {
    listening += 1;
    if (listening === 2) console.log('ready');
  });
  process.on('SIGTERM', () => process.exit(0));
  cluster.fork();
  cluster.fork();
} else {
  http.createServer(respond).listen(Number(process.argv[2]), '127.0.0.1', () => {
    if (cluster.isPrimary) console.log('ready');
  });
}

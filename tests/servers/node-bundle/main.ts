// A small server in TypeScript for the tests: `described` is called 50 times for each request.
import { createServer } from 'node:http';
import { described } from './prices';

function answerWithPrices(): string {
  const found: string[] = [];
  for (let number = 0; number < 50; number += 1) found.push(described(number));
  return JSON.stringify(found);
}

createServer((_request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(answerWithPrices());
}).listen(Number(process.argv[2]), '127.0.0.1', () => console.log('ready'));

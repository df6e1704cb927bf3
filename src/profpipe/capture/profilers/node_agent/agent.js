// Loaded by profpipe into a Node server before its first line (`node --require`, by NODE_OPTIONS of this server alone).
//
// PROFPIPE_NODE_AGENT holds FOLDER, MODE and INTERVAL (microseconds), separated by newlines. Each process and each worker
// thread listens on a socket of its own, FOLDER/PID.THREAD.sock, for the lines `start` and `stop`, and answers each with
// a line of JSON: {"ok": ...} or {"error": "why"}. The profile is FOLDER/PID.THREAD.profile. Nothing runs in between.
'use strict';

const settings = process.env.PROFPIPE_NODE_AGENT;
if (settings) listen(...settings.split('\n'));

function listen(folder, mode, interval) {
  const inspector = require('node:inspector');
  const { threadId } = require('node:worker_threads');
  const place = `${folder}/${process.pid}.${threadId}`;
  const session = new inspector.Session();
  session.connect();
  const instrument = mode === 'calls' ? calls(session) : samples(session, Number(interval));
  const server = require('node:net').createServer((socket) => {
    socket.unref();
    socket.on('error', () => {});
    socket.on('data', (asked) => socket.write(`${JSON.stringify(answer(String(asked).trim(), instrument, place))}\n`));
  });
  // `exclusive`: a worker of `cluster` would otherwise ask its parent for the socket.
  server.listen({ path: `${place}.sock`, exclusive: true });
  server.on('error', () => {});
  server.unref();
}

function answer(asked, instrument, place) {
  try {
    if (asked === 'start') return { ok: instrument.start() };
    if (asked !== 'stop') return { error: `unknown command ${asked}` };
    const found = instrument.stop();
    require('node:fs').writeFileSync(`${place}.profile`, JSON.stringify(found.profile));
    return { ok: found.facts };
  } catch (error) {
    return { error: String(error.message ?? error) };
  }
}

// The inspector answers a session of its own thread before `post` returns.
function ask(session, method, parameters) {
  let answered;
  session.post(method, parameters, (error, result) => {
    answered = { error, result };
  });
  if (!answered) throw new Error(`${method} was not answered`);
  if (answered.error) throw new Error(`${method}: ${answered.error.message}`);
  return answered.result;
}

function facts(used, since) {
  const now = process.cpuUsage(used);
  return { node: process.version, cpu_us: now.user + now.system, elapsed_us: Number(process.hrtime.bigint() - since) / 1e3 };
}

function samples(session, interval) {
  let used;
  let since;
  return {
    start() {
      ask(session, 'Profiler.enable');
      ask(session, 'Profiler.setSamplingInterval', { interval });
      ask(session, 'Profiler.start');
      used = process.cpuUsage();
      since = process.hrtime.bigint();
      return {};
    },
    stop() {
      const found = facts(used, since);
      const { profile } = ask(session, 'Profiler.stop');
      ask(session, 'Profiler.disable');
      return { profile: busy(profile), facts: found };
    },
  };
}

// The time in which the thread waited for work is no cost: the samples of (idle) go, and their time with them.
function busy(profile) {
  const idle = new Set(profile.nodes.filter(({ callFrame }) => callFrame.functionName === '(idle)').map(({ id }) => id));
  let now = profile.startTime;
  const seen = profile.timeDeltas.map((delta, place) => ({ at: (now += delta), node: profile.samples[place] }));
  seen.sort((a, b) => a.at - b.at);
  seen.forEach((sample, place) => {
    sample.lasts = (seen[place + 1]?.at ?? profile.endTime) - sample.at;
  });
  const kept = seen.filter(({ node }) => !idle.has(node));
  const timeDeltas = kept.map((_, place) => (place ? kept[place - 1].lasts : 0));
  const endTime = profile.startTime + kept.reduce((sum, { lasts }) => sum + lasts, 0);
  return { ...profile, endTime, samples: kept.map(({ node }) => node), timeDeltas };
}

function calls(session) {
  let used;
  let since;
  return {
    start() {
      ask(session, 'Profiler.enable');
      ask(session, 'Profiler.startPreciseCoverage', { callCount: true, detailed: false });
      used = process.cpuUsage();
      since = process.hrtime.bigint();
      return {};
    },
    stop() {
      const found = facts(used, since);
      const { result } = ask(session, 'Profiler.takePreciseCoverage');
      ask(session, 'Profiler.stopPreciseCoverage');
      ask(session, 'Profiler.disable');
      return { profile: { format: 'profpipe-v8-calls/1', functions: counted(session, result) }, facts: found };
    },
  };
}

// Coverage knows where a function begins as an offset into its script; people know lines.
function counted(session, scripts) {
  ask(session, 'Debugger.enable');
  const found = [];
  for (const { scriptId, url, functions } of scripts) {
    const called = functions.filter(({ ranges }) => ranges[0].count > 0);
    if (!called.length) continue;
    const begins = lineBegins(ask(session, 'Debugger.getScriptSource', { scriptId }).scriptSource);
    for (const { functionName, ranges } of called) {
      const { startOffset, count } = ranges[0];
      const line = lineOf(begins, startOffset);
      found.push({ functionName, url, lineNumber: line, columnNumber: startOffset - begins[line], calls: count });
    }
  }
  ask(session, 'Debugger.disable');
  return found;
}

function lineBegins(source) {
  const begins = [0];
  for (let at = source.indexOf('\n'); at >= 0; at = source.indexOf('\n', at + 1)) begins.push(at + 1);
  return begins;
}

function lineOf(begins, offset) {
  let low = 0;
  for (let high = begins.length - 1; low < high; ) {
    const middle = (low + high + 1) >> 1;
    if (begins[middle] <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

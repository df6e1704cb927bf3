// Loaded by profpipe into a Node server before its first line (`node --require`, by NODE_OPTIONS of this server alone).
//
// PROFPIPE_NODE_AGENT holds FOLDER, MODE and INTERVAL (microseconds, or bytes), separated by newlines. Each process and each worker
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
  const instrument = { calls, heap, samples }[mode](session, Number(interval));
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
    const { named } = require('./names');
    require('node:fs').writeFileSync(`${place}.profile`, JSON.stringify(named(found.profile, found.coverage)));
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

// Where the functions of each script begin and end, of those that V8 has seen run.
function coverage(session) {
  ask(session, 'Profiler.enable');
  const { result } = ask(session, 'Profiler.getBestEffortCoverage');
  ask(session, 'Profiler.disable');
  return result;
}

// What the window cost: of this process, and of this thread alone, which Linux knows.
function stopwatch() {
  const used = process.cpuUsage();
  const since = process.hrtime.bigint();
  const thread = threadNs();
  return () => {
    const now = process.cpuUsage(used);
    return {
      node: process.version,
      cpu_us: now.user + now.system,
      thread_ns: thread === null ? null : threadNs() - thread,
      elapsed_us: Number(process.hrtime.bigint() - since) / 1e3,
    };
  };
}

function threadNs() {
  try {
    return Number(require('node:fs').readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]);
  } catch {
    return null; // not Linux, or a kernel that does not count
  }
}

function samples(session, interval) {
  let facts;
  return {
    start() {
      ask(session, 'Profiler.enable');
      ask(session, 'Profiler.setSamplingInterval', { interval });
      ask(session, 'Profiler.start');
      facts = stopwatch();
      return {};
    },
    stop() {
      const found = facts();
      const { profile } = ask(session, 'Profiler.stop');
      ask(session, 'Profiler.disable');
      const running = busy(profile, found.thread_ns);
      return { profile: running, coverage: coverage(session), facts: { ...found, samples: running.samples.length } };
    },
  };
}

// The time in which the thread waited for work is no cost: the samples of (idle) go. The others share what the thread
// used of a processor, for V8 knows elapsed time alone, and a thread that waits for a processor costs nothing.
function busy(profile, threadNs) {
  const idle = new Set(profile.nodes.filter(({ callFrame }) => callFrame.functionName === '(idle)').map(({ id }) => id));
  if (threadNs === null) return elapsed(profile, idle);
  const kept = profile.samples.filter((node) => !idle.has(node));
  const at = (place) => profile.startTime + Math.round((threadNs / 1e3 / (kept.length || 1)) * place);
  const timeDeltas = kept.map((_, place) => (place ? at(place) - at(place - 1) : 0));
  return { ...profile, clock: 'cpu', endTime: at(kept.length), samples: kept, timeDeltas };
}

function elapsed(profile, idle) {
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

// V8 forgets what the collector freed unless it is told otherwise: a server's garbage is what its requests allocate.
function heap(session, interval) {
  let facts;
  return {
    start() {
      ask(session, 'HeapProfiler.startSampling', {
        samplingInterval: interval,
        includeObjectsCollectedByMajorGC: true,
        includeObjectsCollectedByMinorGC: true,
      });
      facts = stopwatch();
      return {};
    },
    stop() {
      const found = facts();
      const { head } = ask(session, 'HeapProfiler.stopSampling').profile;
      return { profile: { includesCollected: true, head }, coverage: coverage(session), facts: found };
    },
  };
}

function calls(session) {
  let facts;
  return {
    start() {
      ask(session, 'Profiler.enable');
      ask(session, 'Profiler.startPreciseCoverage', { callCount: true, detailed: false });
      facts = stopwatch();
      return {};
    },
    stop() {
      const found = facts();
      const { result } = ask(session, 'Profiler.takePreciseCoverage');
      ask(session, 'Profiler.stopPreciseCoverage');
      ask(session, 'Profiler.disable');
      const functions = counted(session, result);
      return { profile: { format: 'profpipe-v8-calls/1', functions }, coverage: result, facts: found };
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

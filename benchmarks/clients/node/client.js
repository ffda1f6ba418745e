"use strict";
// The program of sync_client.py and async_client.py for the JavaScript client.
// In: a job, as JSON. Out: a report, one line of JSON. See clients/measuring.py for what is in them.

const fs = require("node:fs");
const { isDeepStrictEqual } = require("node:util");
const { io } = require("socket.io-client");

const FIRST_COUNT = 50;
const IN_FLIGHT = 100;

const job = JSON.parse(process.argv[2]);
if (job.attachment) {
  job.data = Buffer.from(Array.from({ length: job.attachment }, (_, position) => position % 256));
}

const now = () => performance.now() / 1000;

// How many events each phase has: the twin of Plan in measuring.py.
async function measure(phase) {
  let count = job.count || FIRST_COUNT;
  let isLast = Boolean(job.count);
  for (;;) {
    const seconds = await phase(count);
    if (isLast) return { rate: count / seconds, count, seconds };
    isLast = seconds >= job.seconds / 5;
    const growth = job.seconds / seconds;
    count = Math.max(1, Math.floor(count * (isLast ? growth : Math.min(growth, 8))));
  }
}

function open() {
  const parser = job.serializer === "msgpack" ? require("socket.io-msgpack-parser") : undefined;
  const socket = io(job.url, { transports: job.transports, forceNew: true, reconnection: false, parser });
  socket.on("connect_error", (error) => { throw error; });
  return socket;
}

async function connected() {
  const socket = open();
  const engine = socket.io.engine;
  await new Promise((resolve) => socket.on("connect", resolve));
  if (job.transports.length > 1 && engine.transport.name !== "websocket") {
    // connect() of the Python clients returns after the upgrade.
    await new Promise((resolve) => engine.once("upgrade", resolve));
  }
  return socket;
}

async function receive() {
  const socket = await connected();
  let calls = 0;
  let goal = 0;
  let last;
  let done;
  socket.on(job.kind, (data) => {
    calls += 1;
    if (calls === goal) {
      last = data;
      done(now());
    }
  });
  const report = await measure(async (count) => {
    goal += count;
    const ended = new Promise((resolve) => { done = resolve; });
    const started = now();
    socket.emit("send", job.kind, count);
    return await ended - started;
  });
  if (!isDeepStrictEqual(last, job.data)) throw new Error("received something else");
  return report;
}

async function emit() {
  const socket = await connected();
  return measure(async (count) => {
    const done = new Promise((resolve) => socket.once("done", resolve));
    socket.emit("take", job.kind, count);
    const started = now();
    for (let number = 0; number < count; number += 1) socket.emit(job.kind, job.data);
    await done;
    return now() - started;
  });
}

async function call(inFlight = 1) {
  const socket = await connected();
  async function caller(count) {
    for (let number = 0; number < count; number += 1) {
      if (await socket.emitWithAck(job.kind, job.data) !== "ok") throw new Error("the answer was something else");
    }
  }
  return measure(async (count) => {
    const share = Math.floor(count / inFlight);
    const started = now();
    await Promise.all(Array.from({ length: inFlight }, (_, number) => caller(share + (number < count % inFlight))));
    return now() - started;
  });
}

async function connect() {
  let connecting;
  let cycles;
  const { count } = await measure(async (wanted) => {
    connecting = cycles = 0;
    for (let number = 0; number < wanted; number += 1) {
      const started = now();
      const socket = await connected();
      connecting += now() - started;
      const closed = new Promise((resolve) => socket.io.engine.once("close", resolve));
      socket.disconnect();
      await closed;
      cycles += now() - started;
    }
    return cycles;
  });
  return { connect: connecting / count, cycle: cycles / count, count };
}

function residentAndThreads() {
  const status = fs.readFileSync("/proc/self/status", "utf8");
  return [Number(/VmRSS:\s*(\d+)/.exec(status)[1]) * 1024, Number(/Threads:\s*(\d+)/.exec(status)[1])];
}

async function idle() {
  (await connected()).disconnect();
  global.gc();
  const before = residentAndThreads();
  const clients = [];
  for (let number = 0; number < job.clients; number += 1) clients.push(await connected());
  global.gc();
  await new Promise((resolve) => { setTimeout(resolve, 500); });
  const after = residentAndThreads();
  if (!clients.every((socket) => socket.connected)) throw new Error("not all clients are connected");
  const [memory, threads] = after.map((value, index) => (value - before[index]) / job.clients);
  return { memory, threads, count: job.clients };
}

const modes = { receive, simple_receive: receive, emit, call, calls_in_flight: () => call(IN_FLIGHT), connect, idle };

modes[job.mode]().then((report) => {
  process.stdout.write(`${JSON.stringify({ ...report, library: require.resolve("socket.io-client") })}\n`, () => {
    process.exit(0);
  });
});

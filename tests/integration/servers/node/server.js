// The kit of events that every server of the integration tests knows, on the reference server.
//
// One argument, JSON: the options (see ../../servers.py). Prints {"port": N} when it listens on 127.0.0.1, and ends
// when its standard input does.

"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const http = require("node:http");
const https = require("node:https");
const { isDeepStrictEqual } = require("node:util");
const { Server } = require("socket.io");
const msgpackParser = require("socket.io-msgpack-parser");

const options = JSON.parse(process.argv[2] || "{}");
const notes = new Map(); // key -> list of values
const noteWaiters = []; // {key, count, ack}
const requests = new Map(); // engine sid -> list of records
const recordOf = new WeakMap(); // HTTP request -> record

function createHttpServer() {
  if (!options.tls) return http.createServer();
  const { cert, key, client_ca: clientCa } = options.tls;
  return https.createServer({
    cert: fs.readFileSync(cert),
    key: fs.readFileSync(key),
    ...(clientCa ? { ca: fs.readFileSync(clientCa), requestCert: true, rejectUnauthorized: true } : {}),
  });
}

const httpServer = createHttpServer();
const io = new Server(httpServer, {
  path: "/" + (options.path ?? "socket.io"),
  pingInterval: (options.ping_interval ?? 25) * 1000,
  pingTimeout: (options.ping_timeout ?? 20) * 1000,
  maxHttpBufferSize: options.max_payload ?? 100_000_000,
  transports: options.transports ?? ["polling", "websocket"],
  allowUpgrades: options.allow_upgrades ?? true,
  ...(options.serializer === "msgpack" ? { parser: msgpackParser } : {}),
  ...(options.recovery ? { connectionStateRecovery: {} } : {}),
});

// -- records of the HTTP requests

function record(req) {
  const entry = { method: req.method, url: req.url, headers: req.headers };
  const sid = new URL(req.url, "http://localhost").searchParams.get("sid");
  recordOf.set(req, entry);
  requests.get(sid)?.push(entry);
}

httpServer.prependListener("request", record);
httpServer.prependListener("upgrade", record);
io.engine.on("connection", (connection) => {
  requests.set(connection.id, [recordOf.get(connection.request)]);
  connection.on("close", () => requests.delete(connection.id));
});
if (options.cookie) {
  io.engine.on("initial_headers", (headers) => {
    headers["set-cookie"] = `sticky=${crypto.randomUUID()}; Path=/; HttpOnly`;
  });
}

// -- notes

function note(key, value) {
  if (!notes.has(key)) notes.set(key, []);
  notes.get(key).push(value);
  for (const waiter of noteWaiters.filter((each) => each.key === key)) tellIfReady(waiter);
}

function tellIfReady(waiter) {
  const values = notes.get(waiter.key) ?? [];
  const index = noteWaiters.indexOf(waiter);
  if (values.length < waiter.count) return index < 0 && noteWaiters.push(waiter);
  if (index >= 0) noteWaiters.splice(index, 1);
  return waiter.ack(values);
}

// -- the kit

function withAck(handler) {
  return (...args) => {
    const ack = typeof args.at(-1) === "function" ? args.pop() : () => {};
    handler(args, ack);
  };
}

function describeHandshake(socket) {
  return {
    headers: socket.handshake.headers,
    query: { ...socket.handshake.query },
    auth: socket.handshake.auth,
    path: new URL(socket.request.url, "http://localhost").pathname,
    transport: socket.conn.transport.name,
    sid: socket.conn.id,
    socket_sid: socket.id,
  };
}

function register(socket) {
  const on = (event, handler) => socket.on(event, withAck(handler));
  on("echo", (args, ack) => {
    socket.emit("echo", ...args);
    ack(...args);
  });
  on("emit_back", ([event, ...args]) => socket.emit(event, ...args));
  on("ask", ([event, ...args]) => {
    socket.emit(event, ...args, (...values) => socket.emit("answer", values));
  });
  on("burst", ([n, size]) => {
    for (let i = 0; i < n; i++) socket.emit("item", i, "x".repeat(size));
    socket.emit("done", n);
  });
  on("burst_binary", ([n, size]) => {
    for (let i = 0; i < n; i++) socket.emit("item", i, Buffer.alloc(size, i % 256));
    socket.emit("done", n);
  });
  on("burst_and_kick", ([n]) => {
    for (let i = 0; i < n; i++) socket.emit("item", i, "");
    socket.disconnect();
  });
  on("note", ([key, value], ack) => {
    note(key, value);
    ack();
  });
  on("notes", ([key], ack) => ack(notes.get(key) ?? []));
  on("wait_notes", ([key, count], ack) => tellIfReady({ key, count, ack }));
  on("slow_ack", ([seconds, value], ack) => setTimeout(() => ack(value), seconds * 1000));
  on("no_ack", () => {});
  on("kick", () => socket.disconnect());
  on("close_transport", () => socket.conn.close());
  on("handshake", (args, ack) => ack(describeHandshake(socket)));
  on("requests", (args, ack) => ack(requests.get(socket.conn.id)));
  socket.on("disconnect", (reason) => note(`disconnect:${socket.id}`, reason));
}

function refusal(message, data) {
  return Object.assign(new Error(message), { data });
}

for (const name of ["/", "/chat", "/news", "/räume (1)/été-ü:!~&"]) io.of(name).on("connection", register);
io.of("/refuse").use((socket, next) => next(refusal("not welcome", { code: 7, reason: "closed" })));
io.of("/auth").on("connection", register);
io.of("/auth").use((socket, next) => {
  const { auth } = socket.handshake;
  next(isDeepStrictEqual(auth, { token: "secret" }) ? undefined : refusal("unauthorized", { got: auth }));
});
io.of("/silent").use(() => {});
io.of("/kick-at-once").on("connection", (socket) => socket.disconnect());

httpServer.listen(options.port ?? 0, "127.0.0.1", () =>
  console.log(JSON.stringify({ port: httpServer.address().port })),
);
process.stdin.on("close", () => process.exit(0)).resume();

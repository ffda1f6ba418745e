// A socket.io server that emits in the middleware of its namespaces.
//
// Source: its documentation, "Middlewares", "Connection state recovery". One argument, JSON: the options of the server;
// "msgpack" for its parser. Prints its port, and ends with its standard input.

"use strict";

const { createServer } = require("node:http");
const { createRequire } = require("node:module");
const load = createRequire(process.argv[3]);
const { Server } = load("socket.io");

const { msgpack, ...options } = JSON.parse(process.argv[2]);
const httpServer = createServer();
const io = new Server(httpServer, { ...options, ...(msgpack ? { parser: load("socket.io-msgpack-parser") } : {}) });

for (const namespace of [io.of("/"), io.of("/chat")]) {
  namespace.on("connection", register);
  namespace.use((socket, next) => {
    const { count = 0, refuse = false } = socket.handshake.auth;
    socket.emit("first", 1);
    socket.emit("binary", { a: Buffer.from([0, 1]), b: [Buffer.alloc(0)] });
    socket.emit("ask", "question", 2, (...args) => socket.emit("answered", ...args));
    for (let number = 0; number < count; number++) socket.emit("item", number);
    next(refuse ? new Error("no") : undefined);
  });
}
io.of("/plain").on("connection", register);

function register(socket) {
  const { nsp } = socket;
  socket.on("echo", (...args) => socket.emit("echo", ...args));
  socket.on("emit", (...args) => socket.emit(...args));
  socket.on("volatile", (...args) => socket.volatile.emit(...args));
  socket.on("local", (...args) => nsp.local.emit(...args));
  socket.on("with_ack", (...args) => socket.emit(...args, () => {}));
  socket.on("room", (name) => socket.join(name));
  socket.on("to_room", (name, ...args) => nsp.to(name).emit(...args));
  socket.on("send_undefined", () => socket.emit("undefined", undefined, [1, undefined], { a: [undefined] }, undefined));
}

httpServer.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: httpServer.address().port })));
process.stdin.on("close", () => process.exit(0)).resume();

// A server of the generation before: Socket.IO 2 over Engine.IO 3, which no client of today can talk to.
//
// Prints {"port": N} when it listens on 127.0.0.1, and ends when its standard input does.

"use strict";

const http = require("node:http");

const httpServer = http.createServer();
require("socket.io-2")(httpServer);

httpServer.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: httpServer.address().port })));
process.stdin.on("close", () => process.exit(0)).resume();

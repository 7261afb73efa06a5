// A stretch of wire between a process and PostgreSQL. It understands nothing; it counts what the client sends, chunk by
// chunk, over all connections, and does something at the n-th.
import { connect, createServer } from "node:net";

// `at`: the n-th chunk; `how`: "cut before" (never forwarded), "cut after" (forwarded, then the line is dead before any
// answer), or a function that is called after forwarding is put off until it has ended.
export async function wire(uri, { at = Infinity, how = "cut before" } = {}) {
  const target = new URL(uri);
  const sockets = new Set();
  const state = { chunks: 0, hit: false, log: [], at, how };
  const cut = () => { for (const socket of sockets) socket.destroy(); };
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    let answers = true, queue = Promise.resolve();
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => { sockets.delete(socket); client.destroy(); if (answers) upstream.destroy(); });
    }
    upstream.on("data", (chunk) => { if (answers) client.write(chunk); });
    client.on("data", (chunk) => {
      queue = queue.then(async () => {
        const n = ++state.chunks;
        if (state.keep_log) state.log.push(chunk.toString("latin1").replace(/[^\x20-\x7e]+/g, " "));
        if (n !== state.at) { upstream.write(chunk); return; }
        state.hit = true;
        if (typeof state.how === "function") { await state.how(chunk); if (!upstream.destroyed) upstream.write(chunk); return; }
        if (state.how === "cut before") { cut(); return; }
        // The server gets it and works on it; nobody hears the answer. Its side stays open for a moment, so that it does not
        // notice too early.
        answers = false;
        upstream.write(chunk);
        client.destroy();
        setTimeout(() => upstream.destroy(), 200);
      });
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const through = new URL(uri);
  through.port = String(server.address().port);
  return Object.assign(state, { uri: through.href, cut, close: () => new Promise((resolve) => { cut(); server.close(resolve); }) });
}

// What the servers beside this file share: a model that counts, and HTTP by the web's `Request` and `Response`.
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** The pieces of an answer: `pieces` of them, `pause` seconds apart, until the signal says stop. */
export async function* words({ pieces, pause }, signal) {
  for (let number = 0; number < pieces; number++) {
    await sleep(pause * 1000);
    if (signal?.aborted) return;
    yield `🌍 ${number} `;
  }
}

/** Serve `handle(request, url)` on the loopback port that the command line names. */
export function serve(handle) {
  const server = createServer(async (incoming, outgoing) => {
    const url = new URL(incoming.url, "http://127.0.0.1");
    const body = ["GET", "HEAD"].includes(incoming.method) ? undefined : await read(incoming);
    const request = new Request(url, { method: incoming.method, headers: incoming.headers, body });
    const response = await handle(request, url);
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.flushHeaders();
    await pass(response.body, outgoing);
  });
  server.listen(Number(process.argv[2]), "127.0.0.1", () => console.log("Listening"));
}

async function read(incoming) {
  const parts = [];
  for await (const part of incoming) parts.push(part);
  return Buffer.concat(parts);
}

/** Hand a body on as it comes; a reader who goes away cancels it. */
async function pass(body, outgoing) {
  const reader = body?.getReader();
  outgoing.on("close", () => reader?.cancel().catch(() => {}));
  try {
    for (let part = await reader?.read(); part && !part.done; part = await reader.read()) outgoing.write(part.value);
    outgoing.end();
  } catch (error) {
    console.error(error);
    outgoing.destroy();
  }
}

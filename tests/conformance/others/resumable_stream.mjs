// The two routes of resumable-stream's README, before the Redis of REDIS_URL:
//   POST /answers/<id> {"pieces", "pause"}   begins the stream, or joins it
//   GET /answers/<id>?resumeAt=<characters>  resumes it; 422 when it is done, 404 when there is none
import { createResumableStreamContext } from "resumable-stream";
import { serve, words } from "./answers.mjs";

const streams = createResumableStreamContext({ waitUntil: null });
const headers = { "Content-Type": "text/event-stream" };

/** An answer as the AI SDK frames it. */
function answer(asked) {
  const source = (async function* () {
    yield `data: ${JSON.stringify({ type: "start" })}\n\n`;
    for await (const delta of words(asked)) yield `data: ${JSON.stringify({ type: "text-delta", delta })}\n\n`;
    yield `data: ${JSON.stringify({ type: "finish" })}\n\n`;
    yield "data: [DONE]\n\n";
  })();
  return ReadableStream.from(source);
}

serve(async (request, url) => {
  const id = url.pathname.split("/")[2];
  let stream;
  if (request.method === "POST") {
    const asked = await request.json();
    stream = await streams.resumableStream(id, () => answer(asked));
  } else {
    const resumeAt = url.searchParams.get("resumeAt");
    stream = await streams.resumeExistingStream(id, resumeAt ? Number.parseInt(resumeAt, 10) : undefined);
  }
  if (stream === undefined) return new Response("There is no such stream", { status: 404 });
  if (stream === null) return new Response("Stream is already done", { status: 422 });
  return new Response(stream.pipeThrough(new TextEncoderStream()), { headers });
});

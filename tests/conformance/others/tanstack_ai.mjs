// Resumable streams of TanStack AI as its guide wires them, with the log in memory:
//   POST /answers, X-Run-Id: <id> {"pieces", "pause"}   begins a run; with Last-Event-ID it goes on
//   GET /answers?runId=<id>&offset=-1                   joins it; after Last-Event-ID
//   POST /answers/stop?runId=<id>                       aborts the controller that was handed in
import { EventType, memoryStream, resumeServerSentEventsResponse, toServerSentEventsResponse } from "@tanstack/ai";
import { serve, words } from "./answers.mjs";

const controllers = new Map();

/** An answer as the events that `chat()` yields. */
async function* answer(runId, asked, signal) {
  const run = { runId, threadId: runId };
  yield { type: EventType.RUN_STARTED, ...run };
  yield { type: EventType.TEXT_MESSAGE_START, messageId: runId, role: "assistant" };
  for await (const delta of words(asked, signal))
    yield { type: EventType.TEXT_MESSAGE_CONTENT, messageId: runId, delta };
  yield { type: EventType.TEXT_MESSAGE_END, messageId: runId };
  yield { type: EventType.RUN_FINISHED, ...run, finishReason: "stop" };
}

serve(async (request, url) => {
  const runId = request.headers.get("X-Run-Id") ?? url.searchParams.get("runId");
  try {
    if (url.pathname.endsWith("/stop")) {
      controllers.get(runId)?.abort();
      return Response.json({});
    }
    const adapter = memoryStream(request);
    if (request.method === "GET") return resumeServerSentEventsResponse({ adapter });
    const abortController = new AbortController();
    if (adapter.resumeFrom() === null) controllers.set(runId, abortController);
    const stream = answer(runId, await request.json(), abortController.signal);
    // The default gathers 32 chunks before it shows them; with 1 each is shown as it comes.
    return toServerSentEventsResponse(stream, { abortController, durability: { adapter, batch: 1 } });
  } catch (error) {
    return new Response(String(error), { status: 400 });
  }
});

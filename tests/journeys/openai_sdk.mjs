// What a user of OpenAI's JavaScript SDK does, with only the base URL and the key changed; prints what came as JSON.
import OpenAI from "openai";

const { WONDERCAM_URL: url, WONDERCAM_KEY: apiKey, WONDERCAM_MODEL: model } = process.env;
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
const asked = { model, input: "Name three colours.", instructions: "You are brief.", max_output_tokens: 16 };

/** The class and status of what an SDK call throws. */
async function thrown(call) {
  try {
    await call();
  } catch (error) {
    return { isApiError: error instanceof OpenAI.APIError, status: error.status, code: error.code };
  }
  return null;
}

let completed = "";
const messages = [{ role: "user", content: "Say hello." }];
const chunks = await client.chat.completions.create({ model, messages, max_tokens: 8, stream: true });
for await (const chunk of chunks) {
  completed += chunk.choices[0]?.delta.content ?? "";
}
const events = [];
for await (const event of await client.responses.create({ ...asked, stream: true })) {
  events.push(event);
}
const { id, output_text: streamed } = await client.responses.retrieve(events[0].response.id);
const rest = [];
for await (const event of await client.responses.retrieve(id, { stream: true, starting_after: 4 })) {
  rest.push(event);
}
const helper = client.responses.stream({ ...asked, previous_response_id: id });
const final = await helper.finalResponse();

console.log(
  JSON.stringify({
    completed,
    said: events.map((event) => (event.type === "response.output_text.delta" ? event.delta : "")).join(""),
    last: events.at(-1).type,
    streamed,
    restIsTheSame: JSON.stringify(rest) === JSON.stringify(events.slice(5)),
    final: { text: final.output_text, before: final.previous_response_id === id, tokens: final.usage.output_tokens },
    unknown: await thrown(() => client.responses.retrieve("resp_none")),
    unknownModel: await thrown(() => client.responses.create({ model: "no-such-model", input: "x" })),
  }),
);

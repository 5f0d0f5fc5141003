// Function calling by both JavaScript SDKs, each leg of it; prints what came as JSON.
import { GoogleGenAI } from "@google/genai";
import OpenAI from "openai";

const { WONDERCAM_URL: url, WONDERCAM_KEY: apiKey, FIRST: first, LAST: last } = process.env;
const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
const google = new GoogleGenAI({ apiKey, httpOptions: { baseUrl: url } });
const question = "How warm is it in Rome?";
const parameters = { type: "object", properties: { city_name: { type: "string" } }, required: ["city_name"] };
const weather = { name: "weather", description: "The weather of a city", parameters };
const RESULT = "30 degrees";

/** Chat completions, streamed: the call is put together from its pieces. */
async function completions() {
  const tools = [{ type: "function", function: weather }];
  const asked = [{ role: "user", content: question }];
  const runner = openai.chat.completions.stream({ model: first, messages: asked, tools });
  const { message, finish_reason: reason } = (await runner.finalChatCompletion()).choices[0];
  const [call] = message.tool_calls;
  const messages = [...asked, message, { role: "tool", tool_call_id: call.id, content: RESULT }];
  const { choices } = await openai.chat.completions.create({ model: last, messages, tools });
  return { said: message.content, reason, name: call.function.name, args: call.function.arguments, text: choices[0].message.content };
}

/** Responses, streamed; the second leg goes on by the id of the first. */
async function responses() {
  const tools = [{ type: "function", strict: null, ...weather }];
  const { id, output } = await openai.responses.stream({ model: first, input: question, tools }).finalResponse();
  const call = output.find(({ type }) => type === "function_call");
  const input = [{ type: "function_call_output", call_id: call.call_id, output: RESULT }];
  const { output_text: text } = await openai.responses.create({ model: last, input, previous_response_id: id, tools });
  return { name: call.name, args: call.arguments, text };
}

/** Google's SDK, streamed, with what the model said sent back as it came. */
async function gemini() {
  const config = { tools: [{ functionDeclarations: [weather] }] };
  const contents = [{ role: "user", parts: [{ text: question }] }];
  const parts = [];
  for await (const chunk of await google.models.generateContentStream({ model: first, contents, config })) {
    parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []));
  }
  const { functionCall: call } = parts.find((part) => part.functionCall);
  const functionResponse = { id: call.id, name: call.name, response: { output: RESULT } };
  contents.push({ role: "model", parts }, { role: "user", parts: [{ functionResponse }] });
  const { text } = await google.models.generateContent({ model: last, contents, config });
  return { name: call.name, args: JSON.stringify(call.args), text };
}

console.log(JSON.stringify({ completions: await completions(), responses: await responses(), gemini: await gemini() }));

// What a user of Google's JavaScript SDK does, with only the base URL and the key changed; prints what came as JSON.
import { ApiError, GoogleGenAI } from "@google/genai";

const { WONDERCAM_URL: baseUrl, WONDERCAM_KEY: apiKey, WONDERCAM_MODEL: model } = process.env;
const ai = new GoogleGenAI({ apiKey, httpOptions: { baseUrl } });
const config = { systemInstruction: "You are brief.", maxOutputTokens: 16, temperature: 0 };

/** The class and status of what an SDK call throws. */
async function thrown(call) {
  try {
    await call();
  } catch (error) {
    return { isApiError: error instanceof ApiError, status: error.status, message: error.message };
  }
  return null;
}

const chunks = [];
for await (const chunk of await ai.models.generateContentStream({ model, contents: "Name three colours.", config })) {
  chunks.push({ text: chunk.text ?? "", finish: chunk.candidates?.[0]?.finishReason ?? null });
}
const whole = await ai.models.generateContent({ model, contents: "Say hello.", config });
const chat = ai.chats.create({ model, config });
await chat.sendMessage({ message: "My name is Bob." });
const second = await chat.sendMessage({ message: "What is my name?" });
const history = chat.getHistory().length;
const stranger = new GoogleGenAI({ apiKey: "no-key-of-ours", httpOptions: { baseUrl } });

console.log(
  JSON.stringify({
    chunks,
    whole: { text: whole.text, tokens: whole.usageMetadata.candidatesTokenCount },
    second: second.text,
    history,
    unknownModel: await thrown(() => ai.models.generateContent({ model: "no-such-model", contents: "x" })),
    badKey: await thrown(() => stranger.models.generateContent({ model, contents: "x" })),
  }),
);

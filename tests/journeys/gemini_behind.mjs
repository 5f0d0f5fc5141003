// Google's JavaScript SDK with a real Gemini's faults behind the door; prints what came as JSON.
import { ApiError, GoogleGenAI } from "@google/genai";

const { WONDERCAM_URL: baseUrl, WONDERCAM_KEY: apiKey, WONDERCAM_PHOTO: data, WONDERCAM_MODELS: models } = process.env;
const ai = new GoogleGenAI({ apiKey, httpOptions: { baseUrl } });
const contents = [
  { role: "user", parts: [{ inlineData: { mimeType: "image/jpeg", data } }, { text: "What is this?" }] },
];
const came = {};

for (const model of models.split(",")) {
  const found = { text: "", images: 0, thoughts: 0, finish: null, error: null };
  came[model] = found;
  try {
    for await (const chunk of await ai.models.generateContentStream({ model, contents })) {
      for (const part of chunk.candidates?.[0]?.content?.parts ?? []) {
        if (part.thought) found.thoughts += 1;
        else if (part.inlineData) found.images += 1;
        else found.text += part.text ?? "";
      }
      found.finish = chunk.candidates?.[0]?.finishReason ?? found.finish;
    }
  } catch (error) {
    found.error = { isApiError: error instanceof ApiError, status: error.status };
  }
}
console.log(JSON.stringify(came));

// Plays a recording that is in the page: its text at its own pace, as it came, and nothing of it is ever markup.
const lines = JSON.parse(document.getElementById("recording").textContent).trim().split("\n");
const { stream } = JSON.parse(lines[0]);
const events = lines.slice(1).map((line) => {
  const { at, data } = JSON.parse(line);
  return { at: at / 1000, response: JSON.parse(data) };
});
const byId = (id) => document.getElementById(id);
const textOf = ({ candidates }) =>
  (candidates?.[0]?.content?.parts ?? []).filter((part) => part.text && !part.thought).map((part) => part.text).join("");
const end = events.length ? events[events.length - 1].at : 0;
const facts = { Model: `${stream.provider}/${stream.model}`, Status: stream.status, Asked: stream.created_at };
for (const [name, value] of Object.entries(facts)) {
  byId("facts").append(Object.assign(document.createElement("dt"), { textContent: name }));
  byId("facts").append(Object.assign(document.createElement("dd"), { textContent: value ?? "–" }));
}
byId("asked").textContent = (stream.question ?? []).map((part) => part.text ?? "[photo]").join("\n");
byId("place").max = String(end);

let now = end;
let began = 0;
let frame = 0;
const speed = () => Number(byId("speed").value);
function show() {
  const seen = events.filter(({ at }, seq) => seq > 0 && at <= now);
  const anew = seen.findLastIndex(({ response }) => response.wondercam?.superseded_from !== undefined);
  byId("answer").textContent = seen.slice(Math.max(anew, 0)).map(({ response }) => textOf(response)).join("");
  byId("failure").textContent = seen.map(({ response }) => response.error?.message ?? "").join("");
  byId("place").value = String(now);
  byId("time").textContent = `${(now / 1000).toFixed(2)} of ${(end / 1000).toFixed(2)} s, event ${seen.length} of ${Math.max(events.length - 1, 0)}`;
  byId("play").textContent = frame ? "Pause" : "Play";
}
function pause() {
  cancelAnimationFrame(frame);
  frame = 0;
  show();
}
function step(time) {
  now = Math.min(now + (time - began) * speed(), end);
  began = time;
  frame = now < end ? requestAnimationFrame(step) : 0;
  show();
}
byId("play").addEventListener("click", () => {
  if (frame) return pause();
  if (now >= end) now = 0;
  began = performance.now();
  frame = requestAnimationFrame(step);
  return show();
});
byId("next").addEventListener("click", () => {
  now = events.find(({ at }) => at > now)?.at ?? end;
  pause();
});
byId("place").addEventListener("input", () => {
  now = Number(byId("place").value);
  pause();
});
show();

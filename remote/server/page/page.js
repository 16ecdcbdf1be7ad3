// Follows a task that goes on. Everything is put in as text, never as markup.
"use strict";

const flowing = new Set(["text", "reasoning", "output"]);

// The same words as logText in page.go.
function words(event) {
  switch (event.kind) {
    case "step": return "• " + event.title;
    case "stepDone": return event.failed ? "  failed: " + event.failed : "";
    case "verified": return (event.check.passed ? "✓ " : "✗ ") + event.check.command;
    case "stage": case "waiting": return "… " + event.text;
    default: return event.text;
  }
}

function show(event) {
  if (event.void) { location.reload(); return; } // the page knows what is left
  const log = document.querySelector(`[data-log="${Number(event.attempt)}"]`);
  const text = words(event);
  if (!log || !text) return;
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  const last = log.lastElementChild;
  if (last && last.className === event.kind && flowing.has(event.kind)) {
    last.textContent += text;
  } else {
    const entry = document.createElement("div");
    entry.className = event.kind;
    entry.textContent = text.replace(/^\n+/, "");
    log.append(entry);
  }
  if (atEnd) log.scrollTop = log.scrollHeight;
}

const { task, after, reload } = document.body.dataset;
if (task) {
  const source = new EventSource(`/v1/tasks/${encodeURIComponent(task)}/events?after=${Number(after)}`);
  for (const kind of ["stage", "text", "reasoning", "step", "stepDone", "waiting", "output", "verified"]) {
    source.addEventListener(kind, (message) => show(JSON.parse(message.data)));
  }
  source.addEventListener("end", () => { source.close(); location.reload(); });
}
if (reload) setTimeout(() => location.reload(), Number(reload) * 1000);

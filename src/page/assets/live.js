// SPDX-License-Identifier: Apache-2.0
// A run that trains now: its server tells how far it is.
async function fetchJson(path) {
  const answer = await fetch(path, {cache: "no-store"});
  if (!answer.ok) throw new Error(answer.status);
  return answer.json();
}

async function renew() {
  const content = await fetchJson("content.json");
  const main = document.querySelector("main");
  const open = [...main.querySelectorAll("details")].map((details) => details.open);
  main.innerHTML = content.main;  // markup of our own server, names escaped
  main.querySelectorAll("details").forEach((details, i) => details.open = open[i] || false);
  byId("subtitle").textContent = content.subtitle;
  data = content.data;
  start();
}

async function follow() {
  let version = -1;  // the page itself may be older than the first answer
  for (;;) {
    try {
      const state = await fetchJson("state.json");
      byId("progress").hidden = false;
      byId("progress").textContent = state.progress;
      if (state.version !== version) await renew();
      version = state.version;
      if (state.done) break;
    } catch (error) {
      byId("progress").textContent = "The run no longer answers: it has ended, or was stopped. Its folder has report.html.";
      break;
    }
    await new Promise((resume) => setTimeout(resume, 1000));
  }
  document.body.classList.remove("live");
}

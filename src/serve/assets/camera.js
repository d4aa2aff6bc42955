// SPDX-License-Identifier: Apache-2.0
// The page's scripts are put together in the order of CMakeLists.txt. What a user or a server names goes in as text only.
"use strict";
const byId = (id) => document.getElementById(id);
const element = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};

// The camera: frames as JPEG files, one after the other, each when the answer to the last one has come.
const camera = {
  stream: null,
  lost: false,  // it went by itself: unplugged, or another program took it

  wanted: 0,  // rises with each start and stop: what was begun before is out of date

  // Returns when it has been stopped, or has gone. longestSide: of a frame, in pixels: enough for the network, small enough
  // to be quick. onStart is called when there is a picture.
  async start(longestSide, onStart, onFrame) {
    this.stop();
    this.lost = false;
    const wanted = this.wanted;
    const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    if (wanted !== this.wanted) {  // stopped while the browser asked
      for (const track of stream.getTracks()) track.stop();
      return;
    }
    this.stream = stream;
    const video = byId("video");
    video.srcObject = stream;
    try {
      await video.play();
    } catch (error) {
      if (wanted !== this.wanted) return;  // stopped before the first picture
      throw error;
    }
    if (this.stream === stream) onStart();
    while (this.stream === stream) {
      if (stream.getTracks().some((track) => track.readyState === "ended")) {
        this.lost = true;
        return;
      }
      const begin = performance.now();
      await onFrame(await this.frame(longestSide));
      const rest = 50 - (performance.now() - begin);  // 20 a second are plenty
      await new Promise((resolve) => setTimeout(resolve, Math.max(rest, 0)));
    }
  },

  stop() {
    ++this.wanted;
    if (!this.stream) return;
    for (const track of this.stream.getTracks()) track.stop();
    this.stream = null;
    byId("video").srcObject = null;
  },

  // The picture that the camera sees now; longestSide 0: as large as it is.
  frame(longestSide) {
    const video = byId("video");
    const scale = longestSide ? Math.min(1, longestSide / Math.max(video.videoWidth, video.videoHeight)) : 1;
    const canvas = element("canvas", { width: Math.round(video.videoWidth * scale), height: Math.round(video.videoHeight * scale) });
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.95));
  },
};

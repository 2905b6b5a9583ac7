// Browsers start no worker for a page that is opened from disk. There, one that runs in a hidden frame takes its place.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.waiting = [];
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      const address = String(new URL(url, document.baseURI)).replaceAll("&", "&amp;").replaceAll('"', "&quot;");
      this.frame.srcdoc =
        "<script>" +
        "var postMessage = message => parent.dispatchEvent(new CustomEvent('frame-worker', {detail: message}));" +
        "</scr" + "ipt>" +
        `<script src="${address}"></scr` + "ipt>";
      window.addEventListener("frame-worker", event => {
        const message = new MessageEvent("message", {data: event.detail});
        this.dispatchEvent(message);
        if (this.onmessage) this.onmessage(message);
      });
      this.frame.addEventListener("load", () => {
        this.ready = true;
        this.waiting.splice(0).forEach(message => this.postMessage(message));
      });
      document.body.append(this.frame);
    }
    postMessage(message) {
      if (!this.ready) this.waiting.push(message);
      else this.frame.contentWindow.dispatchEvent(new MessageEvent("message", {data: message}));
    }
    terminate() {
      this.frame.remove();
    }
  };
}

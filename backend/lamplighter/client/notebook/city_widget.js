/**
 * The front end of `CityWidget`: a sandboxed frame with the page, and the messages between the two
 * (`frontend/src/packed/host-frame.ts` is the other end). A module for `anywidget`.
 */

/** Number of live files kept for frames that open later; among them is always a whole state. */
const KEPT = 60;

export default () => {
  const files = new Map();
  return {
    initialize({ model }) {
      model.on("msg:custom", (message, buffers) => {
        if (typeof message?.file !== "string" || !buffers?.length) return;
        // The newest is last, also the manifest, which comes again and again.
        files.delete(message.file);
        files.set(message.file, bytesOf(buffers[0]));
        while (files.size > KEPT) files.delete(files.keys().next().value);
      });
    },

    render({ model, el }) {
      const notice = document.createElement("p");
      const frame = document.createElement("iframe");
      frame.title = "Lamplighter";
      frame.setAttribute("sandbox", "allow-scripts allow-downloads");
      frame.allowFullscreen = true;
      frame.style.cssText = "width: 100%; border: 0; border-radius: 8px; display: block";

      const post = (message) => frame.contentWindow?.postMessage({ lamplighter: message }, "*");
      const sendSelection = () => post({ select: model.get("_ids") });
      const showPage = () => {
        frame.style.height = `${model.get("height")}px`;
        notice.textContent = model.get("_notice");
        notice.hidden = !notice.textContent;
        const page = model.get("_page");
        // A later page holds more of the past, but loading it would lose what the reader is looking at.
        if (!page || frame.srcdoc) return;
        frame.srcdoc = page;
        el.append(frame);
      };
      const hear = ({ source, data }) => {
        const message = data?.lamplighter;
        if (!message || source !== frame.contentWindow) return;
        if (message.ready) sendSelection();
        if (Array.isArray(message.selected)) {
          model.set("_ids", message.selected.filter(Number.isInteger));
          model.save_changes();
        }
        if (typeof message.read === "string")
          post({ file: message.read, data: files.get(message.read) ?? null });
      };

      const names = ["change:_page", "change:_notice", "change:height"];
      addEventListener("message", hear);
      for (const name of names) model.on(name, showPage);
      model.on("change:_ids", sendSelection);
      el.replaceChildren(notice);
      showPage();
      return () => {
        removeEventListener("message", hear);
        for (const name of names) model.off(name, showPage);
        model.off("change:_ids", sendSelection);
      };
    },
  };
};

/** Return the bytes of a buffer, which hosts give as a view or as an array buffer. */
function bytesOf(buffer) {
  return ArrayBuffer.isView(buffer)
    ? buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength)
    : buffer;
}

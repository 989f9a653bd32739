import { describe, expect, it } from "vitest";
import { escapeXml, SvgContext } from "./svg-context";

describe("the SVG context", () => {
  it("lets no text be markup, nor anything that XML cannot hold", () => {
    expect(escapeXml(`<script>"a" & b</script>`)).toBe(
      "&lt;script&gt;&quot;a&quot; &amp; b&lt;/script&gt;",
    );
    expect(escapeXml("a\0b\u{8}c\ud800d\uffffe\u{1f3d9}")).toBe("abcde\u{1f3d9}");
  });

  it("writes words with their size, weight and place", () => {
    const context = new SvgContext();
    context.font = '600 12px system-ui, "Segoe UI"';
    context.textBaseline = "middle";
    context.fillStyle = "rgba(10,14,28,0.6)";
    context.globalAlpha = 0.5;
    context.fillText("dog", 10, 20);
    expect(context.elements).toEqual([
      '<text x="10" y="24.2" font-size="12" font-weight="600" fill="#0a0e1c" fill-opacity="0.3">dog</text>',
    ]);
  });

  it("draws lines and whole circles", () => {
    const context = new SvgContext();
    context.strokeStyle = "#ffe9c4";
    context.setLineDash([4, 2]);
    context.beginPath();
    context.moveTo(0, 0);
    context.lineTo(10, 5.55);
    context.stroke();
    context.beginPath();
    context.arc(5, 5, 2, 0, 2 * Math.PI);
    context.fill();
    expect(context.elements[0]).toBe(
      '<path d="M0 0L10 5.6" fill="none" stroke="#ffe9c4" stroke-width="1" stroke-dasharray="4 2"/>',
    );
    expect(context.elements[1]).toContain("M7 5A2 2 0 1 1 3 5A2 2 0 1 1 7 5Z");
  });
});

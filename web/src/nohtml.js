// In place of @codemirror/lang-html, which the Markdown mode asks for: HTML
// within a page is shown as plain text, and the bundle is half the size.

import { LanguageSupport, StreamLanguage } from "@codemirror/language";

export const html = () => new LanguageSupport(StreamLanguage.define({ token(stream) { stream.skipToEnd(); return null; } }));
export const htmlCompletionSource = () => null;

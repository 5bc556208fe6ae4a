"use strict";
// The query as an editor: Cypher in colours, completed from the schema. Without this file it is a plain field.
// It lives in a shadow root, where style sheets may be adopted: the site's policy allows no style elements.

const KEYWORDS = ["MATCH", "OPTIONAL MATCH", "WHERE", "WITH", "RETURN", "ORDER BY", "LIMIT", "SKIP", "UNWIND", "DISTINCT", "AS", "AND", "OR", "NOT", "IN", "IS NULL", "IS NOT NULL", "STARTS WITH", "CONTAINS", "ENDS WITH", "CASE", "WHEN", "THEN", "ELSE", "END", "DESC", "UNION"];
const FUNCTIONS = ["abs", "avg", "coalesce", "collect", "count", "date", "head", "id", "keys", "labels", "length", "max", "min", "nodes", "percentileCont", "properties", "relationships", "round", "shortestPath", "size", "stDev", "sum", "toFloat", "toInteger", "toLower", "toString", "type"];

const THEME = {
  "&": { backgroundColor: "var(--surface)", color: "var(--ink)", border: "1px solid var(--line-strong)", borderRadius: "var(--radius-s)", fontSize: "0.875rem" },
  "&.cm-focused": { outline: "3px solid var(--focus)", outlineOffset: "1px" },
  ".cm-content": { fontFamily: "var(--mono)", lineHeight: "1.6", minHeight: "9.5rem", padding: "var(--s2)", caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { background: "var(--accent-soft)" },
  ".cm-tooltip": { backgroundColor: "var(--surface)", color: "var(--ink)", border: "1px solid var(--line-strong)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--accent-ink)" },
  ".cm-matchingBracket": { backgroundColor: "var(--accent-soft)" },
};

// Text in the place of what is selected: left to itself, a browser gives it the style of what goes, which the site's
// policy refuses, with a complaint.
function replaceSelected(event, view) {
  if (event.inputType !== "insertText" || !event.data || event.isComposing || view.state.selection.main.empty) return false;
  event.preventDefault();
  view.dispatch({ ...view.state.replaceSelection(event.data), userEvent: "input.type", scrollIntoView: true });
  return true;
}

class QueryEditor {
  constructor(field) {
    this.field = field;
    this.schema = JSON.parse(field.dataset.schema);
    const kit = EditorKit;
    const host = document.createElement("div");
    field.after(host);
    const root = host.attachShadow({ mode: "open" });
    const { tags } = kit;
    const colours = kit.HighlightStyle.define([
      { tag: tags.keyword, color: "var(--accent)", fontWeight: "650" }, { tag: [tags.string, tags.special(tags.string)], color: "var(--against)" },
      { tag: tags.number, color: "var(--notice-ink)" }, { tag: tags.comment, color: "var(--muted)", fontStyle: "italic" },
      { tag: [tags.atom, tags.standard(tags.variableName)], color: "var(--accent)" },
    ]);
    const label = document.querySelector(`label[for="${field.id}"]`);
    const submit = { key: "Mod-Enter", run: () => true }; // site.js submits; here it only keeps a line from being made
    this.view = new kit.EditorView({
      root, parent: root, doc: field.value,
      extensions: [
        kit.history(), kit.drawSelection(), kit.bracketMatching(), kit.EditorView.lineWrapping,
        kit.StreamLanguage.define(kit.cypher), kit.syntaxHighlighting(colours), kit.EditorView.theme(THEME),
        kit.autocompletion({ override: [(context) => this.complete(context)] }),
        kit.keymap.of([submit, ...kit.completionKeymap, ...kit.defaultKeymap, ...kit.historyKeymap]),
        kit.EditorView.domEventHandlers({ beforeinput: replaceSelected }),
        kit.EditorView.contentAttributes.of({ id: "query-editor", "aria-label": label.textContent, spellcheck: "false", ...(field.getAttribute("aria-invalid") ? { "aria-invalid": "true" } : {}) }),
        kit.EditorView.updateListener.of((update) => { if (update.docChanged) field.value = update.state.doc.toString(); }),
      ],
    });
    field.hidden = true;
    label.addEventListener("click", () => this.view.focus());
  }

  // What fits where the cursor stands: labels after "(x:", relations after "[r:", properties after ".", parameters after "$".
  complete(context) {
    const before = context.state.doc.sliceString(Math.max(0, context.pos - 400), context.pos);
    const word = context.matchBefore(/[\w$]*$/);
    const options = this.optionsAfter(before.slice(0, before.length - (word.to - word.from)), word.text);
    if (!options.length || (word.from === word.to && !context.explicit && !/[:.$|]$/.test(before))) return null;
    return { from: word.from, options, validFor: /^[\w$]*$/ };
  }

  optionsAfter(before, word) {
    const { labels, relations, properties, parameters } = this.schema;
    const as = (type) => (text) => ({ label: text, type });
    if (/\[[^\]()]*[:|]\s*!?$/.test(before)) return relations.map(as("type"));
    if (/\([^()[\]{]*:\s*$/.test(before)) return labels.map(as("class"));
    if (/\w\.$/.test(before)) return properties.map(as("property"));
    if (word.startsWith("$") || /\$$/.test(before)) return parameters.map((text) => ({ label: `$${text}`, type: "variable" }));
    const text = this.view.state.doc.toString();
    const variables = [...new Set([...text.matchAll(/[([](\w+)\s*:/g)].map((found) => found[1]))];
    return [...variables.map(as("variable")), ...KEYWORDS.map(as("keyword")), ...FUNCTIONS.map((name) => ({ label: name, apply: `${name}(`, type: "function" }))];
  }
}

for (const field of document.querySelectorAll("textarea[data-schema]")) field.editor = new QueryEditor(field);

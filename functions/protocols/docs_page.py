"""The OpenAPI document as one page for people: its own style and script, nothing fetched from anywhere."""

from base64 import b64encode
from hashlib import sha256
from typing import Any

import msgspec

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #59636e; --paper: #fff; --card: #f6f8fa; --line: #d1d9e0;
  --accent: #0b62c4; --get: #0a6b3d; --post: #0b62c4; --other: #6b7280; --bad: #b42318; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9aa5b1; --paper: #0d1117; --card: #161b22;
  --line: #30363d; --accent: #6cb0ff; --get: #4ac27e; --post: #6cb0ff; --other: #9aa5b1; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem 5rem; }
h1 { font-size: 2rem; margin: 0; line-height: 1.2; } h2 { margin: 2.75rem 0 .25rem; font-size: 1.3rem; }
h3 { margin: 1.1rem 0 .3rem; font-size: .82rem; letter-spacing: .05em; text-transform: uppercase; color: var(--soft); }
p { margin: .4rem 0; } .soft { color: var(--soft); } a { color: var(--accent); }
code, pre, .path { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .88rem; }
pre { background: var(--paper); border: 1px solid var(--line); border-radius: 6px; padding: .7rem .9rem;
  margin: .3rem 0; overflow-x: auto; white-space: pre; }
details.operation { border: 1px solid var(--line); border-radius: 8px; background: var(--card); margin: .6rem 0; }
details.operation > summary { cursor: pointer; padding: .7rem 1rem; display: flex; gap: .8rem; align-items: baseline;
  flex-wrap: wrap; list-style: none; }
details.operation > summary::-webkit-details-marker { display: none; }
details.operation > summary:focus-visible { outline: 2px solid var(--accent); border-radius: 8px; }
.inside { padding: 0 1rem 1rem; border-top: 1px solid var(--line); }
.method { font-weight: 700; font-size: .8rem; min-width: 3.4rem; color: var(--other); }
.method.get { color: var(--get); } .method.post { color: var(--post); } .path { font-weight: 600; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; } .scroll { overflow-x: auto; }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 600; } td.status { font-weight: 600; } td.bad { color: var(--bad); }
details.schema > summary { cursor: pointer; color: var(--accent); padding: .2rem 0; }
"""

SCRIPT = """
'use strict';
const doc = JSON.parse(document.getElementById('document').textContent);
const main = document.querySelector('main');
function el(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  made.append(...children.filter(child => child !== null && child !== undefined));
  return made;
}
const pretty = value => typeof value === 'string' ? value : oneLine(value, '');
function oneLine(value, indent) {
  const flat = JSON.stringify(value, null, 1).replace(/\\n\\s*/g, ' ');
  if (flat.length + indent.length <= 96 || value === null || typeof value !== 'object') return flat;
  const inner = indent + '  ';
  const list = Array.isArray(value);
  const parts = list ? value.map(item => inner + oneLine(item, inner))
    : Object.entries(value).map(([key, item]) => inner + JSON.stringify(key) + ': ' + oneLine(item, inner));
  return (list ? '[' : '{') + '\\n' + parts.join(',\\n') + '\\n' + indent + (list ? ']' : '}');
}
function schemaOf(schema) {
  const name = schema && schema.$ref ? schema.$ref.split('/').pop() : null;
  return name ? el('a', {href: '#schema-' + name}, name) : el('code', {}, schema && schema.type || 'any');
}
function table(heads, rows) {
  return el('div', {class: 'scroll'}, el('table', {},
    el('thead', {}, el('tr', {}, ...heads.map(head => el('th', {}, head)))), el('tbody', {}, ...rows)));
}
function examplesOf(media) {
  if (media.examples) return Object.entries(media.examples).map(([name, each]) => [each.summary || name, each.value]);
  return media.example === undefined ? [] : [['', media.example]];
}
function operation(path, method, op) {
  const inside = el('div', {class: 'inside'});
  if (op.description) inside.append(el('p', {}, op.description));
  for (const [kind, media] of Object.entries(op.requestBody ? op.requestBody.content : {})) {
    inside.append(el('h3', {}, 'Request'), el('p', {}, el('code', {}, kind), ' ', schemaOf(media.schema)));
    if (media.schema.description) inside.append(el('p', {class: 'soft'}, media.schema.description));
    for (const [name, value] of examplesOf(media))
      inside.append(name ? el('p', {class: 'soft'}, name) : null, el('pre', {}, pretty(value)));
  }
  const rows = Object.entries(op.responses).map(([status, answer]) => el('tr', {},
    el('td', {class: 'status' + (status >= 400 ? ' bad' : '')}, status), el('td', {}, answer.description),
    el('td', {}, ...Object.entries(answer.content || {}).flatMap(([kind, media]) =>
      [el('div', {}, el('code', {}, kind), ' ', schemaOf(media.schema))]))));
  inside.append(el('h3', {}, 'Answers'), table(['Status', 'Meaning and codes', 'Body'], rows));
  return el('details', {class: 'operation', id: op.operationId}, el('summary', {},
    el('span', {class: 'method ' + method}, method.toUpperCase()), el('span', {class: 'path'}, path),
    el('span', {class: 'soft'}, op.summary)), inside);
}
const schemas = doc.components.schemas;
main.append(el('h1', {}, doc.info.title), el('p', {class: 'soft'}, 'Version ', el('code', {}, doc.info.version), ' · ',
  el('a', {href: 'openapi.json'}, 'OpenAPI ' + doc.openapi), ' · ', el('a', {href: 'schema'}, 'JSON Schema of a row')),
  el('p', {}, doc.info.description));
const features = Object.entries(schemas.RowAsObject.properties).map(([name, feature]) => el('tr', {},
  el('td', {}, el('code', {}, name)), el('td', {}, [].concat(feature.type).join(' or ')),
  el('td', {}, feature.description || ''), el('td', {}, el('code', {}, JSON.stringify(feature.examples[0])))));
main.append(el('h2', {}, 'Features'), table(['Name', 'Type', 'What training saw', 'Example'], features));
for (const tag of doc.tags) {
  main.append(el('h2', {}, tag.name), el('p', {class: 'soft'}, tag.description));
  for (const [path, methods] of Object.entries(doc.paths))
    for (const [method, op] of Object.entries(methods))
      if (method !== 'options' && method !== 'head' && op.tags && op.tags.includes(tag.name))
        main.append(operation(path, method, op));
}
main.append(el('p', {class: 'soft'}, 'Every path answers OPTIONS with its methods, and HEAD where there is GET.'));
main.append(el('h2', {}, 'Schemas'));
for (const [name, schema] of Object.entries(schemas))
  main.append(el('details', {class: 'schema', id: 'schema-' + name}, el('summary', {}, el('code', {}, name),
    schema.title ? ' ' + schema.title : ''), el('pre', {}, pretty(schema))));
function reveal() {
  const found = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (found && found.tagName === 'DETAILS') { found.open = true; found.scrollIntoView(); }
}
window.addEventListener('hashchange', reveal);
(document.querySelector('details.operation') || {}).open = true;
reveal();
"""


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


POLICY = (
    f"default-src 'none'; script-src {_digest(SCRIPT)}; style-src {_digest(STYLE)}; base-uri 'none'; form-action 'none'"
)
"""Lets the browser run this page's script and style and nothing that a feature's name may smuggle in."""


def page(document: dict[str, Any]) -> bytes:
    """UTF-8 HTML that holds the document and shows it."""
    held = msgspec.json.encode(document).replace(b"<", b"\\u003c")  # so that no text in it can end the script
    title = document["info"]["title"]  # a model's name: letters, digits, dots, dashes and underscores
    return b"".join(
        [
            b'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n',
            b'<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            f"<title>{title}: its API</title>\n<style>{STYLE}</style>\n<main></main>\n".encode(),
            b'<script type="application/json" id="document">' + held + b"</script>\n",
            f"<script>{SCRIPT}</script>\n</html>\n".encode(),
        ]
    )

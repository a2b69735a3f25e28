// The licences of everything that is in the bundle, each text once.

import { readFileSync, readdirSync } from 'node:fs';

// @getodk/web-forms is published with these already inside. Its own 'dependencies' are inside
// too, but for the map.
const INSIDE_WEB_FORMS = [
  '@fontsource/roboto', '@mdi/js', '@primeuix/themes', 'bin-packer', 'crypto-js', 'dompurify',
  'image-blob-reduce', 'mdast-util-from-markdown', 'mdast-util-newline-to-break', 'papaparse',
  'primeflex', 'primevue', 'solid-js', 'sortablejs', 'temporal-polyfill', 'vue-draggable-plus',
  'web-tree-sitter',
];
// Published without a licence file, under the licence that kobosmix has itself.
const APACHE_2 = { '@getodk/web-forms': new URL('../../../LICENSE', import.meta.url) };

/** The text of THIRD_PARTY_NOTICES.txt, for the modules that were bundled. */
export function notices(modules) {
  const bundled = modules.flatMap((id) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id)?.[1] ?? []);
  const byText = new Map();
  for (const name of [...new Set([...bundled, ...closure(INSIDE_WEB_FORMS)])].sort()) {
    const text = licence(name);
    byText.set(text, [...(byText.get(text) ?? []), name]);
  }
  const parts = [...byText].map(([text, names]) => `${names.join('\n')}\n\n${text}\n`);
  const rule = `\n${'-'.repeat(78)}\n\n`;
  const { version } = manifest('@getodk/web-forms');
  return `The form in preview.html is shown by ODK Web Forms ${version}. It and what it is made of:\n${rule}${parts.join(rule)}`;
}

function closure(names, found = new Set()) {
  for (const name of names) {
    if (name.startsWith('@types/') || found.has(name)) continue;
    found.add(name);
    closure(Object.keys(manifest(name).dependencies ?? {}), found);
  }
  return found;
}

function licence(name) {
  const folder = `node_modules/${name}`;
  const file = readdirSync(folder).find((each) => /^(licen[cs]e|copying)(\.\w+)?$/i.test(each));
  return text(file ? `${folder}/${file}` : APACHE_2[name]);
}

function manifest(name) {
  return JSON.parse(text(`node_modules/${name}/package.json`));
}

function text(file) {
  return readFileSync(file, 'utf8').replaceAll('\r', '').trim();
}

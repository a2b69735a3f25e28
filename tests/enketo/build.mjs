// Makes enketo.html.gz, THIRD_PARTY_NOTICES.txt and bundle.json in this folder.

import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { compileString } from 'sass';

const SOURCES = [
  'build.mjs', 'enketo.js', 'package.json', 'package-lock.json', 'widgets.js',
];
// enketo-transformer is published with these already inside.
const INSIDE_THE_TRANSFORMER = ['language-subtag-registry', 'language-tags', 'string-direction'];
const CORE = 'node_modules/enketo-core';

const aliases = Object.entries(JSON.parse(text(`${CORE}/package.json`)).browser).map(
  ([name, file]) => [name, here(`${CORE}/${file}`.replace(/(\.js)?$/, '.js'))],
);
const { outputFiles, metafile } = await build({
  entryPoints: ['enketo.js'],
  alias: { ...Object.fromEntries(aliases), 'enketo/widgets': here('widgets.js') },
  bundle: true,
  // For Node only.
  external: ['libxslt'],
  format: 'iife',
  legalComments: 'none',
  metafile: true,
  minify: true,
  outdir: '.',
  write: false,
});
const script = outputFiles[0].text.replaceAll('</script', '<\\/script');
const page = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Enketo</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>${styles()}</style></head>
<body></body><script>${script}</script></html>
`;
const made = { 'enketo.html.gz': gzipSync(page, { level: 9 }), 'THIRD_PARTY_NOTICES.txt': notices() };
for (const [name, content] of Object.entries(made)) writeFileSync(name, content);
const digests = {
  made_from: Object.fromEntries(SOURCES.map((name) => [name, digest(readFileSync(name))])),
  made: Object.fromEntries(Object.entries(made).map(([name, content]) => [name, digest(content)])),
};
writeFileSync('bundle.json', `${JSON.stringify(digests, null, 2)}\n`);

/** KoboToolbox's own theme of Enketo, without the styles of widgets that are left out. */
function styles() {
  const folder = new URL(`${CORE}/src/sass/formhub/`, import.meta.url);
  const unpacked = '/packages/enketo-core/node_modules/';
  return compileString(text(new URL('formhub.scss', folder)), {
    style: 'compressed',
    url: new URL('formhub.scss', folder),
    loadPaths: [fileURLToPath(folder)],
    importers: [{
      findFileUrl: (path) =>
        path.startsWith(unpacked)
          ? new URL(`node_modules/${path.slice(unpacked.length)}`, import.meta.url)
          : null,
    }],
    logger: { warn: () => {}, debug: () => {} },
  }).css;
}

function notices() {
  const bundled = Object.keys(metafile.inputs).flatMap(
    (id) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id)?.[1] ?? [],
  );
  const names = [...new Set([...bundled, ...INSIDE_THE_TRANSFORMER])].sort();
  const parts = names.map((name) => `${name}\n\n${licence(name)}\n`);
  const rule = `\n${'-'.repeat(78)}\n\n`;
  return `What enketo.html.gz is made of:\n${rule}${parts.join(rule)}`;
}

function licence(name) {
  const folder = `node_modules/${name}`;
  const file = readdirSync(folder).find((each) => /^(licen[cs]e|copying)([.-]\w+)?$/i.test(each));
  if (file) return text(`${folder}/${file}`).trim();
  const { license, author = '' } = JSON.parse(text(`${folder}/package.json`));
  // The words of MIT stand in the file all the same, with jquery.
  return `Published without a licence file. Its package.json says: ${license} ${author}`.trim();
}

function here(name) {
  return fileURLToPath(new URL(name, import.meta.url));
}

function text(file) {
  return readFileSync(file, 'utf8').replaceAll('\r', '');
}

function digest(content) {
  return createHash('sha256').update(content).digest('hex');
}

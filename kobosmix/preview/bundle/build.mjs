// Makes, beside this folder: web_forms.js.gz, THIRD_PARTY_NOTICES.txt and web_forms.json.

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import nodeResolve from '@rollup/plugin-node-resolve';
import replace from '@rollup/plugin-replace';
import terser from '@rollup/plugin-terser';
import { rollup } from 'rollup';
import { notices } from './notices.mjs';

const SOURCES = ['build.mjs', 'notices.mjs', 'package.json', 'package-lock.json', 'web_forms.js'];
const OUT = new URL('../', import.meta.url);

// Our forms ask for no place on a map, and the map is a quarter of the whole.
const withoutMaps = {
  name: 'without-maps',
  resolveId: (source) => (/\/MapBlock-/.test(source) ? '\0no-map' : null),
  load: (id) => (id === '\0no-map' ? 'export default { render: () => null };' : null),
};

// Each font is there twice; every browser that can run the form reads woff2.
const withoutOldFonts = {
  name: 'without-old-fonts',
  transform: (code, id) =>
    id.includes('@getodk/web-forms')
      ? { code: code.replace(/,\s*url\(data:font\/woff;base64,[^)]*\)\s*format\([^)]*\)/g, ''), map: null }
      : null,
};

const bundle = await rollup({
  input: 'web_forms.js',
  // Branches for Node inside the XPath engine; no browser takes them.
  external: ['fs', 'path', 'module', 'fs/promises', 'url'],
  plugins: [
    withoutMaps,
    withoutOldFonts,
    replace({
      preventAssignment: true,
      values: {
        'process.env.NODE_ENV': '"production"',
        __VUE_OPTIONS_API__: 'true',
        __VUE_PROD_DEVTOOLS__: 'false',
        __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
      },
    }),
    nodeResolve({ browser: true }),
    terser({ format: { comments: false } }),
  ],
  onwarn: () => {},
});
const { output } = await bundle.generate({ format: 'es', inlineDynamicImports: true });

const made = {
  'web_forms.js.gz': gzipSync(output[0].code, { level: 9 }),
  'THIRD_PARTY_NOTICES.txt': notices(Object.keys(output[0].modules)),
};
for (const [name, content] of Object.entries(made)) writeFileSync(new URL(name, OUT), content);
const digests = {
  made_from: Object.fromEntries(SOURCES.map((name) => [name, digest(readFileSync(name))])),
  made: Object.fromEntries(Object.entries(made).map(([name, content]) => [name, digest(content)])),
};
writeFileSync(new URL('web_forms.json', OUT), `${JSON.stringify(digests, null, 2)}\n`);

function digest(content) {
  return createHash('sha256').update(content).digest('hex');
}

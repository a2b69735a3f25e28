// What the tests need of Enketo, the web form of KoboToolbox: one form in an empty page.

import { Form } from 'enketo-core';
import { transform } from 'enketo-transformer/web';

const FRAME = `
  <header class="form-header clearfix">
    <span class="form-language-selector hide"><span>Language</span></span>
  </header>`;

/**
 * Opens a form, from its XForm and the rows of the lists it carries (by the id of the instance).
 * `openedForm` is Enketo's own object for it then, which validates and gives the submission.
 */
globalThis.openForm = async (xform, lists) => {
  const { form: html, model } = await transform({ xform });
  document.body.innerHTML = `<div class="main"><article class="paper">${FRAME}${html}</article></div>`;
  const external = Object.entries(lists).map(([id, rows]) => ({ id, xml: asInstance(rows) }));
  const form = new Form(document.querySelector('form.or'), { modelStr: model, external });
  const errors = form.init();
  if (errors.length) throw new Error(errors.join('; '));
  globalThis.openedForm = form;
};

// KoboToolbox makes the same of a .csv before Enketo sees it.
function asInstance(rows) {
  const made = document.implementation.createDocument(null, 'root');
  for (const row of rows) {
    const item = made.documentElement.appendChild(made.createElement('item'));
    for (const [column, text] of Object.entries(row)) {
      item.appendChild(made.createElement(column)).textContent = text;
    }
  }
  return made;
}

// What the tests need of Enketo, the web form of KoboToolbox: one form in an empty page.

import { Form, FormModel } from 'enketo-core';
import { transform } from 'enketo-transformer/web';

const FRAME = `
  <header class="form-header clearfix">
    <span class="form-language-selector hide"><span>Language</span></span>
  </header>`;

/**
 * Opens a form, from its XForm and the rows of the lists it carries (by the id of the instance),
 * as by an address: with the answers it puts in and the language it names. `openedForm` is Enketo's
 * own object for it then, which validates and gives the submission.
 */
globalThis.openForm = async (xform, lists, address = '') => {
  const { form: html, model: modelStr } = await transform({ xform });
  document.body.innerHTML = `<div class="main"><article class="paper">${FRAME}${html}</article></div>`;
  const external = Object.entries(lists).map(([id, rows]) => ({ id, xml: asInstance(rows) }));
  const { language, answers } = saidBy(address);
  const instanceStr = filledIn(modelStr, answers);
  const data = { modelStr, instanceStr, external };
  const form = new Form(document.querySelector('form.or'), data, { language });
  const errors = form.init();
  if (errors.length) throw new Error(errors.join('; '));
  globalThis.openedForm = form;
};

// The page around Enketo (enketo-express, which is not in here) reads the address like this.
function saidBy(address) {
  const said = { answers: {} };
  for (const pair of address.split('?').slice(1).join('?').split('&')) {
    const [name, value] = pair.split('=');
    const path = decodeURIComponent(name).match(/d\[(.*)\]/);
    if (path?.[1]) said.answers[path[1]] = decodeURIComponent(value);
    if (name === 'lang') said.language = decodeURIComponent(value);
  }
  return said;
}

// And puts the answers into the empty submission, before the form is shown.
function filledIn(modelStr, answers) {
  if (!Object.keys(answers).length) return null;
  const model = new FormModel(modelStr, { full: false });
  model.init();
  for (const [path, value] of Object.entries(answers)) model.node(path).setVal(value);
  return model.getStr();
}

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

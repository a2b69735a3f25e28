// What preview.html needs of ODK Web Forms: one form at a time, with the lists it carries.

import { createApp, h, shallowRef } from 'vue';
import { OdkWebForm, webFormsPlugin } from '@getodk/web-forms';

// The engine awaits its own start, so the page is told when it may begin.
dispatchEvent(new CustomEvent('web-forms-ready', { detail: stageForForms }));

/**
 * Makes `place` a stage for forms. What comes back shows a form there, instead of the one before:
 * its XForm, its attachments (text by file name), and who is to get the submission's XML.
 */
function stageForForms(place) {
  const shown = shallowRef(null);
  let turn = 0;
  createApp({ render: () => shown.value && h(OdkWebForm, shown.value) })
    .use(webFormsPlugin)
    .mount(place);
  return ({ xml, attachments, onSubmission }) => {
    turn += 1;
    shown.value = {
      // Another key makes another component: one form leaves nothing to the next.
      key: turn,
      formXml: xml,
      fetchFormAttachment: async (address) => attached(attachments, address),
      missingResourceBehavior: 'BLANK',
      onSubmit: async (payload) => onSubmission(await submissionXml(payload)),
    };
  };
}

function attached(attachments, address) {
  const text = attachments[String(address).split('/').at(-1)];
  return text === undefined
    ? new Response('', { status: 404 })
    : new Response(text, { headers: { 'content-type': 'text/csv' } });
}

async function submissionXml({ data: [form] }) {
  return form.get('xml_submission_file').text();
}

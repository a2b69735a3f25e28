const forms = JSON.parse(document.getElementById('forms').textContent);
const attachments = JSON.parse(document.getElementById('attachments').textContent);
const choice = document.getElementById('choice');
const stage = document.getElementById('form');
const sent = document.getElementById('sent');

let show;

addEventListener('web-forms-ready', ({ detail: stageForForms }) => {
  stage.replaceChildren();
  show = stageForForms(stage);
  // The component tells nobody which language is chosen, so it is read off its own switch.
  new MutationObserver(turn).observe(stage, { subtree: true, childList: true, characterData: true });
  choice.addEventListener('change', open);
  addEventListener('hashchange', openNamed);
  openNamed();
});

// A link can name the form: preview.html#post_hosts.
function openNamed() {
  const key = decodeURIComponent(location.hash.slice(1));
  if (key in forms) choice.value = key;
  open();
}

function open() {
  const form = forms[choice.value];
  sent.hidden = true;
  const review = document.getElementById('review');
  review.textContent = `${form.review[0].toUpperCase()}${form.review.slice(1)}.`;
  review.className = form.unsigned ? 'unsigned' : '';
  document.getElementById('numbers').replaceChildren(
    'Invented numbers you can use: ', ...codes(form.numbers),
    ...(form.others.length ? ['. Of another group: ', ...codes(form.others.slice(0, 1))] : []),
    form.xml.includes('enumerators.csv') ? '. Invented enumerators are in the list.' : '.',
  );
  show({ xml: form.xml, attachments, onSubmission });
}

function codes(numbers) {
  return numbers.flatMap((number, place) => {
    const code = document.createElement('code');
    code.textContent = number;
    return place ? [', ', code] : [code];
  });
}

function turn() {
  const shown = stage.querySelector('.language-changer .p-select-label')?.textContent.trim();
  const { lang, dir } = forms[choice.value].languages[shown] ?? { lang: 'en', dir: 'ltr' };
  // On the whole page, since the lists to choose from hang at its end, outside the form.
  Object.assign(document.documentElement, { lang, dir });
}

function onSubmission(xml) {
  const { documentElement: root } = new DOMParser().parseFromString(xml, 'text/xml');
  sent.querySelector('tbody').replaceChildren(...leaves(root).map(row));
  sent.querySelector('pre').textContent = xml;
  sent.hidden = false;
  sent.scrollIntoView();
}

function leaves(element) {
  return [...element.children].flatMap((child) =>
    child.children.length ? leaves(child) : child.textContent ? [child] : []);
}

function row({ localName: field, textContent: value }) {
  const made = document.createElement('tr');
  const words = forms[choice.value].options[field]?.[value]?.[document.documentElement.lang];
  const [name, answer] = [made.insertCell(), made.insertCell()];
  name.textContent = field;
  answer.append(bidi('bdi', value), ...(words ? [bidi('span', words)] : []));
  return made;
}

function bidi(tag, text) {
  const made = document.createElement(tag);
  made.dir = 'auto';
  made.textContent = text;
  return made;
}

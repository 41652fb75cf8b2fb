/* What is being written is never lost: kept as it is typed, for each draft key and tab, with a copy that outlives the tab.
   It goes once it has been sent, as the server says, or when the reader discards it. */
(function () {
  'use strict';
  const own = window.rseOwn;
  if (!own) { return; }
  const MONTH = 2592e6, SENDING = 'rse:sending';

  /* The field says its draft's name, or the form that it stands in does. */
  function fields(root) {
    return Array.from(root.querySelectorAll('textarea,input,select')).filter(field => field.name && field.closest('[data-rse-draft]')
      && !field.closest('[data-rse-nodraft]') && /^(text|textarea|url|select-one|datetime-local)$/.test(field.type));
  }
  function key(field) { return 'rse:draft:' + own.person + ':' + field.closest('[data-rse-draft]').dataset.rseDraft + ':' + field.name; }
  function initial(field) {
    if (field.tagName !== 'SELECT') { return field.defaultValue; }
    const chosen = Array.from(field.options).find(option => option.defaultSelected);
    return chosen ? chosen.value : field.options.length ? field.options[0].value : '';
  }
  function copy(name) {
    const kept = JSON.parse(own.store('localStorage', name) || 'null');
    return kept && Date.now() - kept[0] < MONTH ? kept[1] : null;
  }
  function save(field) {
    if (field.value === initial(field)) { forget(field); return; }
    own.store('sessionStorage', key(field), field.value);
    if (own.person) { own.store('localStorage', key(field), JSON.stringify([Date.now(), field.value])); }
  }
  function forget(field, text) {
    const name = key(field);
    const mine = text === undefined ? own.store('sessionStorage', name) : text;
    own.store('sessionStorage', name, null);
    /* Another tab's newer text is not ours to throw away. */
    if (mine === null || copy(name) === null || copy(name) === mine) { own.store('localStorage', name, null); }
  }
  function restore(field) {
    if (field.rseDraft) { return; }
    field.rseDraft = true;
    const kept = own.store('sessionStorage', key(field)), text = kept === null ? copy(key(field)) : kept;
    field.addEventListener('input', () => { own.store('sessionStorage', key(field), field.value); later(field); });
    if (!text || field.value !== initial(field) || text === field.value) { return; }
    field.value = text;
    const folded = field.closest('details');
    if (folded) { folded.open = true; }
    offer(field);
    field.dispatchEvent(new Event('input', { bubbles: true }));
  }
  function offer(field) {
    const line = own.make('p', 'rse-note rse-restored', own.words.restored + ' ');
    const button = own.make('button', 'rse-plain', own.words.discard);
    button.type = 'button';
    button.addEventListener('click', () => {
      forget(field);
      field.value = initial(field);
      line.remove();
      field.focus();
      own.announce(own.words.discarded);
    });
    line.append(button);
    field.insertAdjacentElement('afterend', line);
  }
  const waiting = new Map();
  function later(field) {
    clearTimeout(waiting.get(field));
    waiting.set(field, setTimeout(() => save(field), 400));
  }
  function all(root) { fields(root).forEach(restore); }

  /* A form that leaves the page: the next page tells whether it was taken, by the cookie that the server sets for it. */
  document.addEventListener('submit', event => {
    const form = event.target, kept = fields(form);
    if (form.rseBusy) { return; }
    kept.forEach(field => { clearTimeout(waiting.get(field)); save(field); });
    if (event.defaultPrevented || !kept.length || form.method !== 'post') { return; }
    const token = own.random();
    let hidden = form.querySelector('input[name="rse_sending"]');
    if (!hidden) {
      hidden = own.make('input');
      hidden.type = 'hidden';
      hidden.name = 'rse_sending';
      form.append(hidden);
    }
    hidden.value = token;
    own.store('sessionStorage', SENDING, JSON.stringify([token, kept.map(field => [key(field), field.value])]));
  }, true);
  function settle() {
    const sending = JSON.parse(own.store('sessionStorage', SENDING) || 'null');
    const taken = /(?:^|; )rse_sent=([0-9a-f]+)/.exec(document.cookie);
    if (!sending || !taken || taken[1] !== sending[0]) { return; }
    sending[1].forEach(([name, text]) => {
      own.store('sessionStorage', name, null);
      if (copy(name) === text) { own.store('localStorage', name, null); }
    });
    own.store('sessionStorage', SENDING, null);
  }
  document.addEventListener('rse:sent', event => {
    fields(event.detail.form).forEach(field => {
      clearTimeout(waiting.get(field));
      forget(field, field.value);
      const line = field.nextElementSibling;
      if (line && line.classList.contains('rse-restored')) { line.remove(); }
    });
  });
  document.addEventListener('rse:parts', event => all(event.detail.box));
  window.addEventListener('pagehide', () => waiting.forEach((timer, field) => { clearTimeout(timer); if (field.isConnected) { save(field); } }));
  settle();
  all(document);
}());

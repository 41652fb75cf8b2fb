/* Our own pages, made quicker: forms sent without leaving the page, one submission for a double click, one voice for
   what changes. Everything works without this script. The others (drafts, mentions, more, keys, uploads) use what it
   offers as window.rseOwn. */
(function () {
  'use strict';
  if (window.rseOwn) { return; }
  const voice = document.getElementById('rse-live');
  if (!voice) { return; }
  // Without this script nothing is ever said here: the messages of the page are the status then.
  voice.setAttribute('role', 'status');
  const words = JSON.parse(voice.dataset.rseWords || '{}');
  const field = document.querySelector('input[name="csrf_token"]');
  let csrf = field ? field.value : '';

  function make(name, className, text) {
    const element = document.createElement(name);
    if (className) { element.className = className; }
    if (text) { element.textContent = text; }
    return element;
  }
  function random() {
    return Array.from(crypto.getRandomValues(new Uint8Array(16)), b => b.toString(16).padStart(2, '0')).join('');
  }
  /* Emptied first: the same words twice are two events to hear. */
  function announce(text) {
    voice.textContent = '';
    if (text) { setTimeout(() => { voice.textContent = text; }, 80); }
  }
  function store(area, key, value) {
    try {
      if (value === undefined) { return window[area].getItem(key); }
      if (value === null) { window[area].removeItem(key); } else { window[area].setItem(key, value); }
    } catch (error) { /* full, or forbidden */ }
    return null;
  }
  function told(name, detail) { document.dispatchEvent(new CustomEvent(name, { detail: detail })); }

  /* Parts of the page made anew where they stand. */
  function markup(html) {
    const template = document.createElement('template');
    template.innerHTML = html;
    return template.content;
  }
  function nameOf(element) {
    return element.getAttribute('data-rse-focus') || element.id
      || [element.form && element.form.getAttribute('action'), element.tagName, element.name, element.value].join('|');
  }
  function replace(part, html) {
    const active = part.contains(document.activeElement) ? nameOf(document.activeElement) : null;
    const fresh = markup(html), boxes = Array.from(fresh.children);
    part.replaceWith(fresh);
    boxes.forEach(box => told('rse:parts', { box: box }));
    if (active === null) { return boxes; }
    const all = boxes.flatMap(box => [box, ...box.querySelectorAll('a,button,input,textarea,select,summary,[tabindex]')]);
    const same = all.find(element => nameOf(element) === active);
    const target = same || boxes[0];
    if (target) {
      if (!same && !target.hasAttribute('tabindex')) { target.tabIndex = -1; }
      target.focus({ preventScroll: true });
    }
    return boxes;
  }
  function put(body, form) {
    const wanted = Object.assign({}, body.parts);
    Object.keys(body.slots || {}).forEach(slot => {
      /* A page of the intranet that is shown here: its slot is the part in which the form stands, or the only one. */
      const own = form.closest('[data-rse-part^="' + slot + ' page:"]');
      const all = document.querySelectorAll('[data-rse-part^="' + slot + ' page:"]');
      const part = own || (all.length === 1 ? all[0] : null);
      if (part) { wanted[part.getAttribute('data-rse-part')] = body.slots[slot].html; }
    });
    document.querySelectorAll('[data-rse-part]').forEach(part => {
      const html = wanted[part.getAttribute('data-rse-part')];
      if (html !== undefined && part.isConnected) { replace(part, html); }
    });
  }

  /* What went wrong, beside the form and beside its fields. */
  function clear(form) {
    form.querySelectorAll('[data-rse-problem]').forEach(note => note.remove());
    form.querySelectorAll('[data-rse-invalid]').forEach(input => {
      input.removeAttribute('aria-invalid');
      input.removeAttribute('data-rse-invalid');
      input.setAttribute('aria-describedby', input.getAttribute('data-rse-described') || '');
      if (!input.getAttribute('aria-describedby')) { input.removeAttribute('aria-describedby'); }
    });
  }
  function note(form, text, login) {
    const line = make('p', 'rse-message is-error', text);
    line.setAttribute('role', 'alert');
    line.dataset.rseProblem = '';
    if (login) {
      const link = make('a', 'rse-link', words.sign);
      link.href = login;
      line.append(' ', link);
    }
    form.prepend(line);
  }
  let errors = 0;
  function beside(input, text) {
    const line = make('p', 'rse-error', text), before = input.getAttribute('aria-describedby') || '';
    line.id = 'rse-problem-' + (++errors);
    line.dataset.rseProblem = '';
    input.setAttribute('data-rse-described', before);
    input.setAttribute('data-rse-invalid', '');
    input.setAttribute('aria-invalid', 'true');
    input.setAttribute('aria-describedby', (line.id + ' ' + before).trim());
    input.insertAdjacentElement('afterend', line);
  }
  function problem(form, body) {
    let first = null;
    note(form, [body.detail || words.failed, body.remedy].filter(Boolean).join(' '), body.login_url);
    Object.keys(body.errors || {}).forEach(name => {
      const found = form.elements[name], input = found && found.length && !found.tagName ? found[0] : found;
      if (!input || !input.setAttribute || input.type === 'hidden') { return; }
      beside(input, [].concat(body.errors[name]).join(' '));
      first = first || input;
    });
    (first || form.querySelector('[data-rse-problem]')).scrollIntoView({ block: 'center' });
    if (first) { first.focus({ preventScroll: true }); }
  }

  /* Sending. */
  function isInline(form) {
    return form.method === 'post' && !form.hasAttribute('data-rse-plain')
      && (form.hasAttribute('data-rse-inline') || Boolean(form.closest('[data-rse-part]')));
  }
  function send(form, button, again) {
    const data = new FormData(form);
    if (button && button.name) { data.append(button.name, button.value); }
    /* The same text under the same key: sent twice, it acts once. */
    if (!data.get('idempotency_key')) {
      form.rseKey = form.rseKey || random();
      data.set('idempotency_key', form.rseKey);
    }
    const abort = new AbortController(), late = setTimeout(() => abort.abort(), data.get('files') ? 300000 : 30000);
    const headers = { Accept: 'application/json', 'X-RSE-Embed': '1', 'X-RSE-CSRF': csrf };
    const target = (button && button.getAttribute('formaction')) || form.getAttribute('action') || location.href;
    clear(form);
    busy(form, true);
    fetch(new URL(target, location.href), { method: 'POST', body: data, headers: headers, credentials: 'same-origin', signal: abort.signal })
      .then(answer => {
        csrf = answer.headers.get('X-RSE-CSRF') || csrf;
        const json = /json/.test(answer.headers.get('Content-Type') || '');
        return (json ? answer.json() : Promise.resolve(null)).then(body => {
          busy(form, false);
          if (answer.ok && body && body.parts) {
            form.rseKey = null;
            const key = form.elements.idempotency_key;
            if (key) { key.value = random(); }
            told('rse:sent', { form: form });
            if (form.hasAttribute('data-rse-inline')) { form.reset(); }
            put(body, form);
            announce(body.announce);
            if (body.location) { location.assign(body.location); }
          } else if (answer.ok && answer.redirected) {
            told('rse:sent', { form: form });
            location.assign(answer.url);
          } else if (body && body.code === 'csrf' && again) {
            send(form, button, false);
          } else {
            problem(form, body || {});
          }
        });
      })
      .catch(() => { busy(form, false); note(form, words.network); })
      .then(() => clearTimeout(late));
  }
  function busy(form, yes) {
    form.rseBusy = yes;
    if (yes) { form.setAttribute('aria-busy', 'true'); } else { form.removeAttribute('aria-busy'); }
  }
  document.addEventListener('submit', event => {
    const form = event.target;
    if (event.defaultPrevented) { return; }
    if (form.rseBusy) { event.preventDefault(); return; }
    if (isInline(form)) {
      event.preventDefault();
      send(form, event.submitter, true);
    } else if (form.method === 'post') {
      busy(form, true);
      /* A download, or an answer that never comes: it may be sent again. */
      setTimeout(() => busy(form, false), 15000);
    }
  });
  /* The second click of a double click is not meant for what the first one made appear. */
  document.addEventListener('click', event => {
    const button = event.target.closest && event.target.closest('button[type=submit],button:not([type])');
    if (button && button.form && event.detail > 1) { event.preventDefault(); }
  }, true);
  window.addEventListener('pageshow', () => document.querySelectorAll('form[aria-busy]').forEach(form => busy(form, false)));

  /* Messages of the page before this one are heard too. */
  const said = Array.from(document.querySelectorAll('[data-rse-said]'), line => {
    // Said once: by the page's one voice, which is heard more surely than what stands there from the beginning.
    line.removeAttribute('role');
    return line.textContent.trim();
  }).join(' ');
  if (said) { setTimeout(() => announce(said), 300); }

  window.rseOwn = { words: words, person: voice.dataset.rsePerson || '', make: make, random: random, announce: announce,
    store: store, beside: beside, clear: clear, markup: markup, told: told };
}());

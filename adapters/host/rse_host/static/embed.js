/* RSE in the intranet's pages. One request fills every slot; each stands in a shadow root, so that neither side's
   style sheets leak. Without this script the fragments that the server placed work by plain forms and links. */
(function () {
  'use strict';
  if (window.RSE) { return; }
  var known = /*PROFILES*/null;
  var tag = document.currentScript || document.querySelector('script[src*="/embed.js"]');
  var prefix = new URL(tag.src, location.href).pathname.replace(/\/embed\.js$/, '');
  var french = /^fr/i.test(document.documentElement.lang || navigator.language);
  var words = french ? {
    network: 'Le service ne répond pas. Votre texte est conservé ; réessayez dans un instant.',
    expired: 'Votre session a expiré. Votre texte est conservé.', sign: 'Se reconnecter',
    failed: 'L’envoi a échoué. Votre texte est conservé ; réessayez dans un instant.', stale: 'Du nouveau à afficher'
  } : {
    network: 'The service does not answer. Your text is kept; try again in a moment.',
    expired: 'Your session has expired. Your text is kept.', sign: 'Sign in again',
    failed: 'Sending failed. Your text is kept; try again in a moment.', stale: 'Something new to show'
  };
  var hosts = [], sheets = [], loaded = {}, params = {}, base = null, csrf = '', person = null, last = null, poll = 0, timer = 0, failures = 0;
  var policy = { createHTML: function (text) { return text; } };
  try { policy = window.trustedTypes ? window.trustedTypes.createPolicy('rse', policy) : policy; } catch (e) { /* kept */ }

  function each(list, act) { Array.prototype.forEach.call(list, act); }
  function make(name, className, text) {
    var element = document.createElement(name);
    if (className) { element.className = className; }
    if (text) { element.textContent = text; }
    return element;
  }
  function store(area, key, value) {
    try {
      if (value === undefined) { return window[area].getItem(key); }
      if (value === null) { window[area].removeItem(key); } else { window[area].setItem(key, value); }
    } catch (e) { /* full, or forbidden */ }
    return null;
  }

  /* What the page says of itself. */
  function read(rules) {
    for (var i = 0; i < rules.length; i++) {
      var pattern = new RegExp(rules[i][2]), found = document.querySelectorAll(rules[i][0]);
      for (var j = 0; j < found.length; j++) {
        var raw = rules[i][1] === 'text' ? found[j].textContent : found[j].getAttribute(rules[i][1]) || '';
        var match = pattern.exec(rules[i][0] === 'script' ? raw : raw.replace(/\s+/g, ' ').trim());
        if (match) { return match[1]; }
      }
    }
    return '';
  }
  function profile() {
    var name = tag.getAttribute('data-profile'), all = known.profiles;
    each(name ? [] : document.querySelectorAll('meta[name="generator"]'), function (meta) {
      Object.keys(all).forEach(function (key) {
        if (all[key].generator && meta.content.indexOf(all[key].generator) === 0) { name = key; }
      });
    });
    var own = tag.getAttribute('data-anchors'), chosen = all[name] || all.generic;
    return own ? Object.assign({}, chosen, { anchors: JSON.parse(own), only: tag.getAttribute('data-only') || '' }) : chosen;
  }
  function section(link) {
    if (!/^[/?]|:\/\/|\.[a-z]+\?/.test(link)) { return link; }
    var url = new URL(link, document.baseURI);
    return url.pathname + url.search;
  }
  function query() {
    var chosen = profile(), asked = new URLSearchParams(), native = read(chosen.native), link = read(chosen.section);
    var name = Object.keys(known.profiles).find(function (key) { return known.profiles[key].native === chosen.native; });
    var site = tag.getAttribute('data-site'), lang = document.documentElement.lang, here = location.pathname + location.search;
    var all = {
      address: (site ? site + ':' : '') + here, canonical: read(known.canonical), native: native && name + ':' + native,
      title: read(known.title), section: link && section(link), lang: lang,
      slots: hosts.map(function (host) { return host.name; }).join(',')
    };
    Object.keys(all).forEach(function (key) { if (all[key]) { asked.set(key, all[key].slice(0, 900)); } });
    return asked;
  }

  /* Where slots stand. */
  function collect() {
    var own = document.querySelectorAll('rse-slot[name]'), chosen = profile();
    /* Those that the template has stay where they are; the others find their place, unless the server saw to it. */
    var names = (tag.getAttribute('data-slots') || 'reactions,comments').split(',').map(function (name) { return name.trim(); });
    each(own, function (element) {
      adopt(element, null);
      names = element.hasAttribute('data-rse-server') ? [] : names.filter(function (name) { return name !== element.getAttribute('name'); });
    });
    if (!names.length || (chosen.only && !document.querySelector(chosen.only))) { return; }
    for (var i = 0; i < chosen.anchors.length; i++) {
      var found = document.querySelectorAll(chosen.anchors[i][0]), where = chosen.anchors[i][1];
      if (found.length > 1) { return; }
      if (found.length) {
        var box = document.createDocumentFragment();
        names.forEach(function (name) {
          var element = make('rse-slot');
          element.setAttribute('name', name);
          box.appendChild(element);
          adopt(element, where === 'before' || where === 'after' ? found[0] : null);
        });
        found[0][where](box);
        return;
      }
    }
  }
  function adopt(element, beside) {
    var host = {
      name: element.getAttribute('name'), element: element, mark: document.createComment('rse'), beside: beside,
      root: element.shadowRoot || element.attachShadow({ mode: 'open' }), box: null, live: make('div', 'rse-hidden'),
      etag: null, shown: element.hasAttribute('data-rse-server')
    };
    /* The page's rules for "everything" must not reach the element itself; font and ink are its parent's. In a menu it
       keeps no distance. */
    var guard = {
      all: 'unset', display: 'none', clear: 'both', margin: /^(bell|navigation)$/.test(host.name) ? '0' : '1.5em 0', 'text-align': 'start'
    };
    Object.keys(guard).forEach(function (key) { element.style.setProperty(key, guard[key], 'important'); });
    if (beside) {
      var style = getComputedStyle(beside);
      if (style.maxWidth !== 'none') {
        element.style.setProperty('max-width', style.maxWidth, 'important');
        element.style.setProperty('margin-inline', style.marginLeft === style.marginRight ? 'auto' : '0', 'important');
      }
    }
    host.live.setAttribute('role', 'status');
    host.live.setAttribute('aria-live', 'polite');
    listen(host);
    if (host.shown) { reveal(host); }
    hosts.push(host);
  }
  /* The page's own accent: the colour of its links, where text in it and on it can be read. */
  function light(colour) {
    return colour.slice(0, 3).reduce(function (sum, part, i) {
      var v = part / 255;
      return sum + [0.2126, 0.7152, 0.0722][i] * (v <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4));
    }, 0);
  }
  function contrast(a, b) { return (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05); }
  function solid(text) {
    var parts = /^rgba?\(/.test(text) ? text.match(/[\d.]+/g).map(Number) : [];
    return parts.length === 3 || parts[3] === 1 ? parts : null;
  }
  function accent(element) {
    var near = element.parentNode, link = (near.closest('article,main') || document).querySelector('a[href]') || document.querySelector('a[href]');
    if (!link || getComputedStyle(near).getPropertyValue('--rse-accent')) { return; }
    var paper = null, colour = solid(getComputedStyle(link).color), white = [255, 255, 255], black = [0, 0, 0];
    for (var box = near; box && box.nodeType === 1 && !paper; box = box.parentNode) { paper = solid(getComputedStyle(box).backgroundColor); }
    if (!colour || contrast(colour, paper || white) < 4.5) { return; }
    element.style.setProperty('--rse-accent', 'rgb(' + colour.slice(0, 3) + ')');
    element.style.setProperty('--rse-on-accent', contrast(colour, white) >= contrast(colour, black) ? '#fff' : '#000');
  }
  function reveal(host) { host.element.style.setProperty('display', 'block', 'important'); }
  function dress(host) {
    /* What the server placed may have been typed into before this script came. */
    var active = host.root.activeElement;
    host.back = active && { key: key(active), from: active.selectionStart, to: active.selectionEnd };
    keep(host);
    host.root.textContent = '';
    accent(host.element);
    var waiting = sheets.map(function (href) {
      var link = make('link');
      link.rel = 'stylesheet';
      link.href = new URL(href, location.href).href;
      return new Promise(function (done) { link.onload = link.onerror = done; host.root.appendChild(link); });
    });
    host.box = make('div', 'rse-slot rse-slot-' + host.name);
    host.box.tabIndex = -1;
    host.box.style.outline = 'none';
    host.root.appendChild(host.box);
    host.root.appendChild(host.live);
    if (parseFloat(getComputedStyle(host.element.parentNode || document.body).fontSize) < 12) {
      host.element.style.setProperty('font-size', '16px', 'important');
    }
    /* Shown once it is dressed, but not later than a second from now. */
    return Promise.race([Promise.all(waiting), new Promise(function (done) { setTimeout(done, 1000); })]);
  }

  /* Filling and changing them. */
  function ask(url, fresh) {
    var kept = fresh ? null : last || JSON.parse(store('sessionStorage', 'rse:last') || 'null');
    var headers = { Accept: 'application/json' };
    kept = kept && kept.url === url && kept.etag ? kept : null;
    if (kept) { headers['If-None-Match'] = kept.etag; }
    return fetch(url, { headers: headers, credentials: 'same-origin', redirect: 'manual', cache: 'no-store' }).then(function (answer) {
      csrf = answer.headers.get('X-RSE-CSRF') || csrf;
      if (answer.status === 304 && kept) { return kept.body; }
      if (!answer.ok || !/json/.test(answer.headers.get('Content-Type'))) { throw answer; }
      return answer.json().then(function (body) {
        if (!fresh) {
          last = { url: url, etag: answer.headers.get('ETag'), body: body };
          store('sessionStorage', 'rse:last', JSON.stringify(last));
        }
        return body;
      });
    });
  }
  function address(only) {
    var asked = new URLSearchParams(base.toString());
    if (only) { asked.set('slots', only); }
    Object.keys(params).forEach(function (key) { asked.set(key, params[key]); });
    /* What the reader has in sight, so that the slot can say how much came after it. */
    each(only ? [] : hosts, function (host) {
      var seen = host.box && host.box.querySelector('[data-rse-since]');
      if (seen) { asked.set('slot.' + host.name + '.since', seen.getAttribute('data-rse-since')); }
    });
    return location.origin + prefix + '/embed/slots?' + asked;
  }
  function show(host, slot) {
    host.etag = slot.etag;
    host.stale = null;
    host.more = false;
    var empty = !slot.html.trim(), element = host.element;
    if (empty && element.parentNode) { element.parentNode.replaceChild(host.mark, element); }
    if (!empty && host.mark.parentNode) { host.mark.parentNode.replaceChild(element, host.mark); }
    if (empty && !host.box) { return; }
    keep(host);
    var back = remember(host) || host.back, template = document.createElement('template');
    host.back = null;
    template.innerHTML = policy.createHTML(slot.html);
    host.box.textContent = '';
    host.box.appendChild(template.content);
    restore(host);
    refocus(host, back);
    document.dispatchEvent(new CustomEvent('rse:slot', { detail: { name: host.name, root: host.root, box: host.box } }));
  }
  /* A plugin's own script, from our own prefix alone; it waits for rse:slot. */
  function script(src) {
    if (loaded[src] || new URL(src, location.href).href.indexOf(location.origin + prefix + '/') !== 0) { return; }
    loaded[src] = make('script');
    loaded[src].nonce = tag.nonce;
    loaded[src].src = src;
    document.head.appendChild(loaded[src]);
  }
  function apply(body, always) {
    person = body.person;
    poll = body.poll || 0;
    sheets = body.css || sheets;
    each(body.js || [], script);
    var work = hosts.map(function (host) {
      var slot = body.slots[host.name];
      if (!slot || slot.etag === host.etag) { return null; }
      if (host.box && !always) {
        if (slot.stale_label || host.more || busy(host)) { stale(host, slot); } else { show(host, slot); }
        return null;
      }
      var first = !host.box && slot.html.trim() ? dress(host) : null;
      show(host, slot);
      return first && first.then(function () { reveal(host); });
    });
    return Promise.all(work);
  }
  function busy(host) {
    return host.root.activeElement || host.element.matches(':hover') || fields(host).some(function (f) { return f.value !== f.defaultValue; });
  }
  function stale(host, slot) {
    if (host.stale && host.stale.etag === slot.etag) { return; }
    host.stale = slot;
    var bar = host.box.querySelector('.rse-stale') || make('div', 'rse-stale'), text = slot.stale_label || words.stale;
    var button = make('button', 'rse-button rse-primary', text);
    button.type = 'button';
    button.onclick = function () { show(host, host.stale); host.box.focus(); };
    /* Of no height, so that nothing moves under the reader. */
    Object.assign(bar.style, { position: 'sticky', top: '8px', height: '0', margin: '0', overflow: 'visible', zIndex: '5', alignItems: 'flex-start' });
    bar.textContent = '';
    bar.appendChild(button);
    host.box.insertBefore(bar, host.box.firstChild);
    announce(host, text);
  }
  function announce(host, text) {
    host.live.textContent = '';
    setTimeout(function () { host.live.textContent = text || ''; }, 60);
  }
  function key(element) {
    return element.getAttribute('data-rse-focus') || element.id
      || [element.form && element.form.getAttribute('action'), element.tagName, element.name,
        /^(button|submit|radio|checkbox)$/.test(element.type) && element.value].join('|');
  }
  function remember(host) {
    var active = host.root.activeElement;
    return active && host.box.contains(active) && { key: key(active), from: active.selectionStart, to: active.selectionEnd };
  }
  function refocus(host, back) {
    if (!back) { return; }
    var same = Array.prototype.find.call(host.box.querySelectorAll('a,button,input,textarea,select,summary,[tabindex]'), function (element) {
      return key(element) === back.key;
    });
    (same || host.box).focus({ preventScroll: true });
    if (same && back.from !== undefined && same.tagName === 'TEXTAREA') { same.setSelectionRange(back.from, back.to); }
  }

  /* Parts of a slot, one comment's reactions for instance, made anew where they stand. */
  function replace(host, parts) {
    var back = remember(host);
    each(host.box.querySelectorAll('[data-rse-part]'), function (part) {
      var html = parts[part.getAttribute('data-rse-part')], template = document.createElement('template');
      if (html === undefined) { return; }
      template.innerHTML = policy.createHTML(html);
      part.replaceWith(template.content);
    });
    if (back && !host.root.activeElement) { refocus(host, back); }
  }

  /* Drafts: per person, page, form and tab; the newest of any tab when this one has none. */
  function fields(host) {
    return Array.prototype.filter.call((host.box || host.root).querySelectorAll('textarea,input[type=text]'), function (field) {
      return field.name && field.form && !field.closest('[data-rse-nodraft]');
    });
  }
  function draft(field) {
    var of = field.closest('[data-rse-draft]');
    return ['rse:draft', person ? person.id : '', (of ? of.getAttribute('data-rse-draft') : base.get('address') + field.form.getAttribute('action')), field.name].join(':');
  }
  function save(field) {
    var value = field.value === field.defaultValue ? null : field.value, name = draft(field);
    store('sessionStorage', name, value);
    if (person) { store('localStorage', name, value && JSON.stringify([Date.now(), value])); }
  }
  function keep(host) { fields(host).forEach(function (field) { if (field.value !== field.defaultValue) { save(field); } }); }
  function restore(host) {
    fields(host).forEach(function (field) {
      var value = store('sessionStorage', draft(field)), other = JSON.parse((person && store('localStorage', draft(field))) || 'null');
      if (value === null && other && Date.now() - other[0] < 2592e6) { value = other[1]; }
      if (value && field.value === field.defaultValue) {
        field.value = value;
        var folded = field.closest('details');
        if (folded) { folded.open = true; }
      }
    });
  }
  function forget(form) {
    each(form.elements, function (field) {
      if (!field.name) { return; }
      if ('defaultValue' in field && field.type !== 'hidden') { field.value = field.defaultValue; }
      ['sessionStorage', 'localStorage'].forEach(function (area) { store(area, draft(field), null); });
    });
  }

  /* Forms and links. */
  function listen(host) {
    host.root.addEventListener('input', function (event) { if (host.box && fields(host).indexOf(event.target) >= 0) { save(event.target); } });
    host.root.addEventListener('click', function (event) {
      var button = event.target.closest('button,input[type=submit]'), link = event.target.closest('a[href]');
      /* The answer to a click may stand there before the second of a double click comes: that one is not meant for it. */
      if (button && event.detail > 1) { event.preventDefault(); return; }
      if (button && button.form) { button.form.rseButton = button; }
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) { return; }
      var hash = link.getAttribute('href');
      if (hash[0] === '#' && jump(hash)) { event.preventDefault(); }
      if (link.hasAttribute('data-rse-load')) { event.preventDefault(); load(host, new URL(link.href).searchParams, link); }
    });
    host.root.addEventListener('submit', function (event) {
      var form = event.target, button = event.submitter || form.rseButton;
      if (form.hasAttribute('data-rse-plain')) { return; }
      event.preventDefault();
      if (!/^post$/i.test(form.getAttribute('method'))) { load(host, new FormData(form), form); } else { send(host, form, button, true); }
    });
  }
  function load(host, wanted, source) {
    var more = source.getAttribute('data-rse-load') === 'append', before = Object.assign({}, params);
    wanted.forEach(function (value, name) { if (/^slot\./.test(name)) { params[name] = value; } });
    var url = address(host.name);
    if (more) { params = before; }
    source.setAttribute('aria-busy', 'true');
    ask(url, true).then(function (body) {
      var slot = body.slots[host.name];
      if (!more) { show(host, slot); return; }
      var template = document.createElement('template');
      template.innerHTML = policy.createHTML(slot.html);
      host.more = true;
      var list = host.box.querySelector('[data-rse-list]'), fresh = template.content.querySelector('[data-rse-list]').children, first = fresh[0];
      while (fresh.length) { list.appendChild(fresh[0]); }
      var old = host.box.querySelector('[data-rse-more]'), next = template.content.querySelector('[data-rse-more]');
      if (old) { if (next) { old.replaceWith(next); } else { old.remove(); } }
      if (first) { first.tabIndex = -1; first.focus({ preventScroll: true }); }
    }).catch(function () {
      if (!more) { params = before; }
      source.removeAttribute('aria-busy');
      if (source.href) { location.href = source.href; }
    });
  }
  function send(host, form, button, again) {
    if (form.rseBusy) { return; }
    var data = new FormData(form), headers = { Accept: 'application/json', 'X-RSE-Embed': '1', 'X-RSE-CSRF': csrf, 'X-RSE-Lang': base.get('lang') || '' };
    if (button && button.name) { data.append(button.name, button.value); }
    /* The same text under the same key: sent twice, it acts once. */
    var text = JSON.stringify(Array.from(data.entries()).map(String));
    if (form.rseText !== text) { form.rseText = text; form.rseKey = Array.from(crypto.getRandomValues(new Uint8Array(16)), function (b) { return b.toString(16); }).join(''); }
    if (!data.get('idempotency_key')) { data.set('idempotency_key', form.rseKey); }
    ['address', 'canonical', 'native', 'title', 'section', 'lang'].forEach(function (name) { if (base.get(name) && !data.has(name)) { data.set(name, base.get(name)); } });
    Object.keys(params).forEach(function (name) { if (!data.has(name)) { data.set(name, params[name]); } });
    form.rseBusy = true;
    form.setAttribute('aria-busy', 'true');
    clear(form);
    keep(host);
    var abort = new AbortController(), late = setTimeout(function () { abort.abort(); }, 30000);
    var target = (button && button.getAttribute('formaction')) || form.getAttribute('action');
    fetch(new URL(target || '', location.href), { method: 'POST', body: data, headers: headers, credentials: 'same-origin', redirect: 'manual', signal: abort.signal }).then(function (answer) {
      csrf = answer.headers.get('X-RSE-CSRF') || csrf;
      var json = /json/.test(answer.headers.get('Content-Type'));
      return (json ? answer.json() : Promise.resolve({})).then(function (body) {
        free();
        if (answer.ok && body.slots) {
          forget(form);
          form.rseText = null;
          /* A form may close itself: what it says of its slot holds from now on. */
          data.forEach(function (value, name) { if (/^slot\./.test(name)) { params[name] = value; } });
          apply(Object.assign({ person: person, poll: poll }, body), true);
          replace(host, body.parts || {});
          announce(host, body.announce);
        } else if (body.code === 'csrf' && again) {
          send(host, form, button, false);
        } else if (answer.type === 'opaqueredirect' || answer.status === 401 || (!json && answer.headers.get('WWW-Authenticate')) || (answer.ok && !json)) {
          warn(form, words.expired, body.login_url || location.href);
        } else {
          problem(form, body);
        }
      });
    }).catch(function () { free(); warn(form, words.network); });
    function free() { clearTimeout(late); form.rseBusy = false; form.removeAttribute('aria-busy'); }
  }
  function clear(form) {
    each(form.querySelectorAll('[data-rse-problem]'), function (note) { note.remove(); });
    each(form.querySelectorAll('[aria-invalid]'), function (field) { field.removeAttribute('aria-invalid'); });
  }
  function warn(form, text, login) {
    var note = make('p', 'rse-message is-error', text + ' ');
    note.setAttribute('role', 'alert');
    note.setAttribute('data-rse-problem', '');
    if (login) {
      var link = make('a', 'rse-link', words.sign);
      link.href = login;
      note.appendChild(link);
    }
    form.appendChild(note);
    return note;
  }
  function problem(form, body) {
    var first = null, errors = body.errors || {};
    warn(form, [body.detail || words.failed, body.remedy].filter(Boolean).join(' '));
    Object.keys(errors).forEach(function (name) {
      var field = form.elements[name];
      if (!field || !field.setAttribute) { return; }
      var note = make('p', 'rse-error', [].concat(errors[name]).join(' '));
      note.setAttribute('data-rse-problem', '');
      note.id = 'rse-error-' + name;
      field.setAttribute('aria-invalid', 'true');
      field.setAttribute('aria-describedby', note.id);
      field.insertAdjacentElement('afterend', note);
      first = first || field;
    });
    if (first) { first.focus(); }
  }
  function jump(hash) {
    return /^#rse-/.test(hash) && hosts.some(function (host) {
      var target = host.root.getElementById(hash.slice(1));
      if (!target) { return false; }
      if (!target.hasAttribute('tabindex')) { target.tabIndex = -1; }
      target.scrollIntoView({ block: 'center' });
      target.focus({ preventScroll: true });
      return true;
    });
  }

  /* Conditional polling, while somebody looks. */
  function later() {
    clearTimeout(timer);
    if (poll) { timer = setTimeout(again, Math.min(poll * Math.pow(2, failures), 600) * 1000); }
  }
  function again() {
    if (document.hidden) { return; }
    ask(address()).then(function (body) { failures = 0; return apply(body, false); }).catch(function (answer) {
      failures++;
      if (answer.status === 401 || answer.type === 'opaqueredirect') { poll = 0; }
    }).then(later);
  }
  function start() {
    collect();
    if (!hosts.length) { return; }
    base = query();
    if (/^#rse-/.test(location.hash)) {
      hosts.forEach(function (host) { base.set('slot.' + host.name + '.anchor', location.hash.slice(1)); });
    }
    ask(address()).then(function (body) { return apply(body, true); }).then(function () {
      jump(location.hash);
      later();
      document.dispatchEvent(new CustomEvent('rse:ready'));
    }).catch(function () { /* Without an answer the page is simply the intranet's. */ });
    document.addEventListener('visibilitychange', function () { if (!document.hidden && poll) { later(); again(); } });
    window.addEventListener('hashchange', function () { jump(location.hash); });
    window.addEventListener('pagehide', function () { hosts.forEach(keep); });
  }
  window.RSE = { refresh: function () { return ask(address()).then(function (body) { return apply(body, true); }); } };
  if (document.readyState === 'loading') { document.addEventListener('DOMContentLoaded', start); } else { start(); }
}());

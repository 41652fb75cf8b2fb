/* Cards, posts and pages, offered while one types what a card is to refer to. Without this script a number or an address is
   typed or pasted, and the form is the same. */
(function () {
  'use strict';
  var WAIT = 180, boxes = 0;

  function element(name, attributes) {
    var made = document.createElement(name);
    Object.keys(attributes).forEach(function (key) { made.setAttribute(key, attributes[key]); });
    return made;
  }

  function picker(field) {
    var input = field.querySelector('input:not([type=hidden])'), chosen = field.querySelector('input[type=hidden]');
    var words = field.dataset, id = 'kb-pick-' + (++boxes), timer = 0, request = null, at = -1, offers = [];
    var box = element('div', { 'class': 'kb-offers' });
    var list = element('ul', { id: id, role: 'listbox', 'aria-label': words.label });
    var voice = element('p', { 'class': 'rse-hidden', role: 'status' });
    list.hidden = true;
    box.append(list, voice);
    input.after(box);
    [['role', 'combobox'], ['aria-autocomplete', 'list'], ['aria-expanded', 'false'], ['aria-controls', id],
      ['autocomplete', 'off']].forEach(function (pair) { input.setAttribute(pair[0], pair[1]); });

    function shut() {
      clearTimeout(timer);
      if (request) { request.abort(); request = null; }
      list.hidden = true;
      at = -1;
      input.setAttribute('aria-expanded', 'false');
      input.removeAttribute('aria-activedescendant');
    }
    function point(to) {
      var options = list.children;
      if (options[at]) { options[at].setAttribute('aria-selected', 'false'); }
      at = to;
      if (at < 0) { input.removeAttribute('aria-activedescendant'); return; }
      options[at].setAttribute('aria-selected', 'true');
      options[at].scrollIntoView({ block: 'nearest' });
      input.setAttribute('aria-activedescendant', options[at].id);
    }
    function take(place) {
      input.value = offers[place].title;
      chosen.value = offers[place].ref;
      voice.textContent = words.taken.replace('%s', offers[place].title);
      shut();
      input.focus();
    }
    function show(found) {
      offers = found;
      list.textContent = '';
      at = -1;
      input.removeAttribute('aria-activedescendant');
      found.forEach(function (offer, place) {
        var option = element('li', { id: id + '-' + place, role: 'option', 'aria-selected': 'false' });
        var kind = document.createElement('small');
        kind.textContent = offer.label;
        option.append(offer.title, ' ', kind);
        option.addEventListener('click', function () { take(place); });
        list.append(option);
      });
      list.hidden = !found.length;
      input.setAttribute('aria-expanded', String(!!found.length));
      voice.textContent = !found.length ? words.none : found.length === 1 ? words.one
        : words.many.replace('%s', String(found.length));
    }
    function ask() {
      var text = input.value.trim();
      if (text.length < 2 && !/^\d$/.test(text)) { shut(); voice.textContent = ''; return; }
      if (request) { request.abort(); }
      request = new AbortController();
      var url = new URL(words.kbPick, location.href);
      url.searchParams.set('q', text);
      fetch(url, { headers: { Accept: 'application/json' }, credentials: 'same-origin', signal: request.signal })
        .then(function (answer) { return answer.ok ? answer.json() : []; })
        // What was typed since, or chosen, makes an answer a late one.
        .then(function (found) { if (input.value.trim() === text && document.activeElement === input) { show(found); } })
        .catch(function () { /* Aborted, or no network: a number or an address is typed. */ });
    }
    input.addEventListener('input', function () {
      chosen.value = '';
      clearTimeout(timer);
      timer = setTimeout(ask, WAIT);
    });
    input.addEventListener('keydown', function (event) {
      var count = list.hidden ? 0 : offers.length;
      if (event.isComposing || !count) { return; }
      if (event.key === 'ArrowDown') { point(at + 1 < count ? at + 1 : 0); }
      else if (event.key === 'ArrowUp') { point(at > 0 ? at - 1 : count - 1); }
      else if (event.key === 'Enter' && at >= 0) { take(at); }
      else if (event.key === 'Escape') { shut(); event.stopPropagation(); }
      else { return; }
      event.preventDefault();
    });
    // The field would lose the focus, and the list close, before the click arrives.
    list.addEventListener('mousedown', function (event) { event.preventDefault(); });
    input.addEventListener('blur', shut);
  }

  Array.prototype.forEach.call(document.querySelectorAll('[data-kb-pick]'), picker);
}());

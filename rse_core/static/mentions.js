/* Names of colleagues, offered while one types "@": in our own pages, and in the shadow roots of the intranet's pages.
   Without this script "@username" is simply typed. The textarea says where to ask: data-rse-mentions="URL". */
(function () {
  'use strict';
  if (window.rseMentions) { return; }
  window.rseMentions = true;
  var TOKEN = /(?:^|[^\p{L}\d_@/.])@([\p{L}\d][\p{L}\d._'-]{0,59})$/u;
  var WAIT = 150, count = 0;

  function make(name, attributes, text) {
    var element = document.createElement(name);
    Object.keys(attributes).forEach(function (key) { element.setAttribute(key, attributes[key]); });
    if (text) { element.textContent = text; }
    return element;
  }

  function attach(area) {
    var id = 'rse-mentions-' + (++count), options = [], chosen = 0, timer = 0, abort = null, asked = '';
    var box = make('div', { 'class': 'rse-naming' });
    var list = make('ul', { 'class': 'rse-mentions', id: id, role: 'listbox', 'aria-label': area.dataset.rseMentionsLabel });
    var said = make('div', { 'class': 'rse-hidden', role: 'status' });
    list.hidden = true;
    box.append(list, said);
    area.after(box);
    area.setAttribute('aria-autocomplete', 'list');
    area.setAttribute('aria-controls', id);
    area.setAttribute('autocomplete', 'off');

    function typed() {
      var match = area.selectionStart === area.selectionEnd && TOKEN.exec(area.value.slice(0, area.selectionStart));
      return match ? match[1] : '';
    }
    function close() {
      clearTimeout(timer);
      if (abort) { abort.abort(); }
      asked = '';
      list.hidden = true;
      list.textContent = '';
      options = [];
      said.textContent = '';
      area.removeAttribute('aria-activedescendant');
    }
    function mark(index) {
      chosen = (index + options.length) % options.length;
      Array.prototype.forEach.call(list.children, function (item, place) {
        item.setAttribute('aria-selected', String(place === chosen));
      });
      area.setAttribute('aria-activedescendant', list.children[chosen].id);
      list.children[chosen].scrollIntoView({ block: 'nearest' });
    }
    function open(people) {
      var fresh = list.hidden;
      options = people;
      list.textContent = '';
      people.forEach(function (person, index) {
        var item = make('li', { role: 'option', id: id + '-' + index }, person.name);
        item.append(' ', make('small', {}, ['@' + person.username, person.entity].filter(Boolean).join(' · ')));
        item.addEventListener('mousedown', function (event) { event.preventDefault(); });
        item.addEventListener('click', function () { take(index); });
        list.append(item);
      });
      list.hidden = false;
      mark(0);
      if (fresh) { said.textContent = area.dataset.rseMentionsFound; }
    }
    function take(index) {
      var end = area.selectionStart;
      area.setRangeText('@' + options[index].username + ' ', end - asked.length - 1, end, 'end');
      close();
      area.focus();
      area.dispatchEvent(new Event('input', { bubbles: true, composed: true }));
    }
    function ask() {
      var text = typed();
      if (!text) { close(); return; }
      if (text === asked && !list.hidden) { return; }
      if (abort) { abort.abort(); }
      abort = new AbortController();
      var url = new URL(area.dataset.rseMentions, location.href);
      url.searchParams.set('q', text);
      fetch(url, { credentials: 'same-origin', redirect: 'manual', headers: { Accept: 'application/json' }, signal: abort.signal })
        .then(function (answer) { return answer.ok ? answer.json() : []; })
        .then(function (people) {
          if (typed() !== text) { return; }
          if (people.length) { asked = text; open(people); } else { close(); }
        })
        .catch(function () { /* Aborted, or no answer: the name is typed by hand. */ });
    }
    area.addEventListener('input', function () {
      clearTimeout(timer);
      if (!typed()) { close(); return; }
      timer = setTimeout(ask, WAIT);
    });
    area.addEventListener('keydown', function (event) {
      if (list.hidden || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) { return; }
      if (event.key === 'ArrowDown') { mark(chosen + 1); }
      else if (event.key === 'ArrowUp') { mark(chosen - 1); }
      else if ((event.key === 'Enter' || event.key === 'Tab') && !event.shiftKey && typed() === asked) { take(chosen); }
      else if (event.key === 'Escape') { close(); event.stopPropagation(); }
      else { return; }
      event.preventDefault();
    });
    area.addEventListener('blur', function () { setTimeout(close, WAIT); });
  }

  function scan(root) {
    Array.prototype.forEach.call(root.querySelectorAll('textarea[data-rse-mentions]'), function (area) {
      if (!area.rseMentions) { area.rseMentions = true; attach(area); }
    });
  }
  function start() {
    scan(document);
    Array.prototype.forEach.call(document.querySelectorAll('rse-slot'), function (host) {
      if (host.shadowRoot) { scan(host.shadowRoot); }
    });
  }
  ['rse:slot', 'rse:parts'].forEach(function (name) {
    document.addEventListener(name, function (event) { scan(event.detail.box); });
  });
  if (document.readyState === 'loading') { document.addEventListener('DOMContentLoaded', start); } else { start(); }
}());

/* A board: its cards as they stand in the page, what the other scripts of the board share, notices, folds, the quick filter.
   Everything works without these scripts: each card has a link to a page that moves it, and forms do the rest. */
(function () {
  'use strict';
  const own = window.rseOwn, root = document.getElementById('kanban');
  if (!own || !root) { return; }
  const words = JSON.parse(root.dataset.words), names = JSON.parse(root.dataset.names);
  const movable = root.hasAttribute('data-movable'), number = root.dataset.board;

  function fill(text, values) { return text.replace(/%[cknpr]/g, mark => mark in values ? values[mark] : mark); }
  function cells() { return Array.from(root.querySelectorAll('.kb-cards')); }
  function cell(name) { return root.querySelector('.kb-cards[data-cell="' + name + '"]'); }
  function cards(list) { return Array.from(list.children).filter(one => one.classList.contains('kc')); }
  function card(id) { return document.getElementById('c' + id); }
  function idOf(item) { return Number(item.id.slice(1)); }
  function titleOf(item) { return item.querySelector('.kc-title').textContent.trim(); }
  function columnOf(name) {
    const parts = name.split(':'), lane = names.lanes[parts[1]];
    return names.columns[parts[0]] + (lane ? ', ' + lane : '');
  }
  /* Where a card stands: its list and the card above it. */
  function placeOf(item) {
    const above = item.previousElementSibling, below = item.nextElementSibling;
    return { cell: item.parentElement.dataset.cell, after: above ? idOf(above) : null, before: below ? idOf(below) : null };
  }
  function put(item, place) {
    const list = cell(place.cell);
    if (!list) { return; }
    const above = place.after === null ? null : card(place.after);
    if (above && above.parentElement === list) { above.after(item); } else if (place.after === null) { list.prepend(item); } else { list.append(item); }
  }

  /* Notices at the foot of the board, each by its name: the newest words stand in place of those before. */
  const bar = own.make('div', 'kb-bar');
  root.after(bar);
  function notice(name, text, actions, error) {
    drop(name);
    const line = own.make('p', error ? 'is-error' : '', text);
    line.dataset.name = name;
    if (error) { line.setAttribute('role', 'alert'); }
    (actions || []).forEach(([label, act]) => {
      const button = own.make('button', 'rse-plain', label);
      button.type = 'button';
      button.addEventListener('click', () => { const inside = line.contains(document.activeElement); drop(name); act(); if (inside && !line.isConnected && document.activeElement === document.body) { root.focus(); } });
      line.append(' ', button);
    });
    const close = own.make('button', 'rse-plain', words.close);
    close.type = 'button';
    close.addEventListener('click', () => drop(name));
    line.append(' ', close);
    bar.append(line);
    return line;
  }
  function drop(name) {
    Array.from(bar.children).filter(line => line.dataset.name === name).forEach(line => line.remove());
  }
  root.tabIndex = -1;

  /* The request that every move is. */
  const field = document.querySelector('input[name="csrf_token"]');
  let csrf = field ? field.value : '';
  function post(path, body, again) {
    const abort = new AbortController(), late = setTimeout(() => abort.abort(), 20000);
    return fetch(root.dataset.api + path, {
      method: 'POST', credentials: 'same-origin', signal: abort.signal, body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json', Accept: 'application/json', 'X-RSE-CSRF': csrf, 'X-RSE-Embed': '1' },
    }).finally(() => clearTimeout(late)).then(answer => {
      csrf = answer.headers.get('X-RSE-CSRF') || csrf;
      return answer.json().catch(() => ({})).then(data => {
        if (data.code === 'csrf' && !again) { return post(path, body, true); }
        return { status: answer.status, data: data };
      });
    });
  }

  /* Columns fold, on this device. A folded one still takes cards. */
  const FOLDS = 'rse:kanban:folds:' + number;
  const folded = new Set(JSON.parse(own.store('localStorage', FOLDS) || '[]'));
  root.querySelectorAll('.kb-column').forEach(column => {
    const button = own.make('button', 'rse-plain kb-fold'), id = column.dataset.column;
    button.type = 'button';
    const name = own.make('span', 'rse-hidden', ' – ' + names.columns[id]);
    function show() {
      const shut = folded.has(id);
      column.classList.toggle('is-folded', shut);
      button.textContent = shut ? words.expand : words.collapse;
      button.append(name);
      button.setAttribute('aria-expanded', String(!shut));
    }
    button.addEventListener('click', () => {
      if (folded.has(id)) { folded.delete(id); } else { folded.add(id); }
      own.store('localStorage', FOLDS, JSON.stringify(Array.from(folded)));
      document.dispatchEvent(new CustomEvent('rse:kanban-fold'));
    });
    document.addEventListener('rse:kanban-fold', show);
    column.querySelector('.kb-head').append(button);
    show();
  });

  /* Plain words filter as one types; conditions are for the server. */
  const query = document.getElementById('kb-q');
  let timer = 0;
  function narrow() {
    const text = query.value.trim().toLowerCase(), plain = !/[:"]|(^|\s)-/.test(text) && query.value !== query.defaultValue;
    let shown = 0;
    root.querySelectorAll('.kc').forEach(item => {
      const hidden = plain && text !== '' && !text.split(/\s+/).every(word => item.textContent.toLowerCase().includes(word));
      item.classList.toggle('is-hidden', hidden);
      if (!hidden) { shown += 1; }
    });
    if (plain && text) { own.announce(fill(words.shown, { '%n': shown })); }
  }
  if (query) { query.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(narrow, 200); }); }

  window.rseBoard = {
    root: root, words: words, names: names, movable: movable, number: number, fill: fill, cells: cells, cell: cell, cards: cards, card: card,
    idOf: idOf, titleOf: titleOf, columnOf: columnOf, placeOf: placeOf, put: put, notice: notice, drop: drop, post: post,
    narrow: () => { if (query && query.value !== query.defaultValue) { narrow(); } },
    /* Somebody is in the middle of moving a card: nothing else moves meanwhile. */
    busy: false,
  };
}());

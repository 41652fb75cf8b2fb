/* Moves wait in a line until the server has taken them, also when the network is gone or the page is loaded anew. What others
   do appears by itself, but never under the pointer.

   What tells of changes is a question asked every few seconds, answered "304" while nothing changed. Whoever knows sooner
   (pushed events) dispatches "rse:changed", with {topic: "kanban.board:7"} as its detail: it is asked at once. */
(function () {
  'use strict';
  const own = window.rseOwn, board = window.rseBoard;
  if (!own || !board) { return; }
  const root = board.root, words = board.words, fill = board.fill;
  const KEY = 'rse:kanban:moves:' + own.person + ':' + board.number, EVERY = 4000, SLOWEST = 15000;

  /* -- moves of one's own ------------------------------------------------------------------------------------------- */

  let line = JSON.parse(own.store('sessionStorage', KEY) || '[]'), sending = false, wait = 2000, retry = 0;
  function keep() { own.store('sessionStorage', KEY, line.length ? JSON.stringify(line) : null); }
  function move(item, place, before, undo) {
    const id = board.idOf(item), waits = line.some(one => one.card === id);
    /* A card that has a move in the line goes on from whatever that one makes of it. */
    line.push({ card: id, title: board.titleOf(item), place: place, before: before, undo: undo || null, version: waits ? null : Number(item.dataset.v) });
    item.classList.add('is-sent');
    keep();
    pump();
  }
  function pump() {
    if (sending || !line.length) { return; }
    const one = line[0], item = board.card(one.card), parts = one.place.cell.split(':').map(Number);
    const version = one.version || (item ? Number(item.dataset.v) : null);
    sending = true;
    clearTimeout(retry);
    board.post('/cards/' + one.card + '/move', {
      column: parts[0], lane: parts[1] || null, after: one.place.after, before: one.place.before, first: one.place.after === null,
      version: version, undo: one.undo,
    }).then(answer => {
      sending = false;
      if (answer.status === 401) { 
        const login = answer.data.login_url;
        board.notice('sign', words.sign, login ? [[own.words.sign, () => location.assign(login)]] : [], true);
        again();
        return;
      }
      if (answer.status >= 500 || answer.status === 429) { later(); return; }
      line.shift();
      keep();
      wait = 2000;
      board.drop('offline');
      board.drop('sign');
      if (answer.status === 200) { taken(one, item, answer.data); } else { refused(one, item, answer.data); }
      if (line.length) { pump(); } else { look(true); }
    }).catch(() => { sending = false; later(); });
  }
  function later() {
    board.notice('offline', fill(words.offline, { '%n': line.length }), [], true);
    again();
  }
  function again() {
    clearTimeout(retry);
    retry = setTimeout(pump, wait);
    wait = Math.min(wait * 2, SLOWEST);
  }
  function taken(one, item, data) {
    if (item) {
      item.dataset.v = data.version;
      if (!line.some(other => other.card === one.card)) { item.classList.remove('is-sent'); }
    }
    const values = { '%c': one.title, '%k': board.columnOf(one.place.cell) };
    const text = fill(one.undo ? words.undone : words.moved, values);
    own.announce([text, data.said].filter(Boolean).join(' '));
    if (data.move && one.before && !one.undo) {
      board.notice('undo', [text, data.said].filter(Boolean).join(' '), [[words.undo, () => {
        const card = board.card(one.card);
        if (!card) { return; }
        const now = board.placeOf(card);
        board.put(card, one.before);
        move(card, one.before, now, data.move);
      }]]);
    } else { board.drop('undo'); }
  }
  function refused(one, item, data) {
    line = line.filter(other => other.card !== one.card);
    keep();
    if (item) { item.classList.remove('is-sent'); }
    if (data.code === 'stale' && data.current) {
      const there = board.names.columns[data.current.column] || '–';
      const text = fill(words.conflict, { '%c': one.title, '%k': there });
      board.notice('refused-' + one.card, text, [[words.anyway, () => {
        const card = board.card(one.card);
        if (!card) { return; }
        card.dataset.v = data.current.version;
        const now = board.placeOf(card);
        board.put(card, one.place);
        move(card, one.place, now);
      }], [words.leave, () => {}]], true);
    } else {
      const reason = [data.detail, data.remedy].filter(Boolean).join(' ');
      board.notice('refused-' + one.card, fill(words.refused, { '%c': one.title, '%r': reason }), [], true);
    }
    if (item && one.before) { board.put(item, one.before); }
    settled = false;
  }
  board.move = move;
  window.addEventListener('online', () => { wait = 2000; pump(); });

  /* -- what others do ----------------------------------------------------------------------------------------------- */

  let revision = Number(root.dataset.revision), etag = '', timer = 0, asking = false, stash = null, over = null, settled = true, own_work = false;
  function hovered(event) {
    over = event.pointerType === 'touch' ? null : event.target.closest ? event.target.closest('.kb-cards') : null;
    if (stash) { apply(stash, false); }
  }
  root.addEventListener('pointerover', hovered);
  root.addEventListener('pointerleave', () => { over = null; if (stash) { apply(stash, false); } });

  function look(now) {
    clearTimeout(timer);
    if (asking) { timer = setTimeout(() => look(now), 300); return; }
    /* One's own moves first: what comes back then has them. */
    if (!now && (document.hidden || line.length || board.busy)) { timer = setTimeout(look, EVERY); return; }
    asking = true;
    const url = new URL(root.dataset.state, location.href);
    url.searchParams.set('since', settled ? revision : 0);
    const headers = { Accept: 'application/json' };
    if (etag && settled) { headers['If-None-Match'] = etag; }
    fetch(url, { credentials: 'same-origin', cache: 'no-store', redirect: 'manual', headers: headers }).then(answer => {
      if (answer.status === 200) {
        etag = answer.headers.get('ETag') || '';
        return answer.json().then(body => { board.drop('gone'); const force = !settled || own_work; own_work = false; apply(body, force); });
      }
      if (answer.status === 403 || answer.status === 404) { board.notice('gone', words.gone, [], true); }
      return null;
    }).catch(() => { /* No network: asked again. */ }).then(() => {
      asking = false;
      timer = setTimeout(look, EVERY);
    });
  }
  function apply(body, force) {
    if (String(body.structure) !== root.dataset.structure) {
      board.notice('structure', words.structure, [[words.reload, () => location.reload()]]);
      return;
    }
    if (line.length || board.busy) { stash = null; etag = ''; return; }
    const touched = board.cells().filter(list => {
      const wanted = body.order[list.dataset.cell] || [], here = board.cards(list).map(board.idOf);
      return String(wanted) !== String(here) || here.some(id => String(id) in body.cards);
    });
    if (!force && over && touched.includes(over)) {
      if (stash !== body) {
        board.notice('changed', words.changed, [[words.show, () => apply(body, true)]]);
      }
      stash = body;
      return;
    }
    stash = null;
    settled = true;
    revision = Math.max(revision, body.revision);
    board.drop('changed');
    arrange(body);
    Object.keys(body.columns).forEach(id => {
      const column = body.columns[id];
      root.querySelectorAll('[data-count="' + id + '"]').forEach(count => { count.textContent = column.count; });
      root.querySelectorAll('.kb-column[data-column="' + id + '"]').forEach(part => {
        part.classList.toggle('is-over', column.over);
        part.classList.toggle('is-full', column.full && !column.over);
      });
    });
    board.narrow();
    document.dispatchEvent(new CustomEvent('rse:kanban-cards'));
  }
  function arrange(body) {
    const active = document.activeElement, held = active && active.closest ? active.closest('.kc') : null;
    const which = held ? (active.classList.contains('kc-move') ? '.kc-move' : '.kc-title a') : null;
    Object.keys(body.cards).forEach(id => {
      const fresh = own.markup(body.cards[id].html).querySelector('.kc'), old = board.card(id);
      if (old) { old.replaceWith(fresh); } else if (fresh) { root.querySelector('.kb-cards').append(fresh); }
    });
    const known = new Set();
    board.cells().forEach(list => {
      let above = null;
      (body.order[list.dataset.cell] || []).forEach(id => {
        const item = board.card(id);
        known.add(id);
        if (!item) { settled = false; return; }
        const next = above ? above.nextElementSibling : list.firstElementChild;
        if (next !== item) { list.insertBefore(item, next); }
        above = item;
      });
    });
    root.querySelectorAll('.kc').forEach(item => { if (!known.has(board.idOf(item))) { item.remove(); } });
    if (held && document.activeElement !== active) {
      const again = document.getElementById(held.id), target = again && again.querySelector(which);
      if (target) { target.focus({ preventScroll: true }); }
    }
  }
  board.look = look;
  document.addEventListener('rse:changed', event => { if (event.detail && event.detail.topic === 'kanban.board:' + board.number) { look(true); } });
  document.addEventListener('rse:sent', event => { if (root.contains(event.detail.form)) { own_work = true; look(true); } });
  document.addEventListener('visibilitychange', () => { if (!document.hidden) { look(false); } });

  /* Moves of before the page was loaded anew. */
  line.forEach(one => {
    const item = board.card(one.card);
    if (item) { board.put(item, one.place); item.classList.add('is-sent'); }
  });
  if (!root.hasAttribute('data-select')) { timer = setTimeout(look, EVERY); }
  pump();
}());

/* Moving cards by mouse, touch, keyboard and menu: each ends in one and the same move. */
(function () {
  'use strict';
  const own = window.rseOwn, board = window.rseBoard;
  if (!own || !board || !board.movable) { return; }
  const root = board.root, words = board.words, fill = board.fill;

  /* -- mouse and touch: a long press picks up, so that the page can still be scrolled -------------------------------- */

  if (window.Sortable) {
    let before = null;
    board.cells().forEach(list => window.Sortable.create(list, {
      group: 'kanban-' + board.number, draggable: '.kc', delay: 220, delayOnTouchOnly: true, forceFallback: true, fallbackTolerance: 5,
      animation: window.matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 120, ghostClass: 'kb-ghost', filter: 'input,button',
      preventOnFilter: false, emptyInsertThreshold: 24,
      onStart: event => { board.busy = true; before = board.placeOf(event.item); },
      onEnd: event => {
        board.busy = false;
        const place = board.placeOf(event.item);
        if (place.cell !== before.cell || place.after !== before.after) { board.move(event.item, place, before); }
      },
    }));
  }

  /* -- keyboard: Space picks up, arrows move, Space or Enter drops, Escape puts back ------------------------------------ */

  const help = own.make('p', 'rse-hidden', words.help);
  help.id = 'kb-keys-help';
  root.before(help);
  function describe() { root.querySelectorAll('.kc-title a').forEach(link => link.setAttribute('aria-describedby', help.id)); }
  describe();
  document.addEventListener('rse:kanban-cards', describe);

  let picked = null, start = null, shifting = false;
  function say(text, item) {
    const list = item.parentElement, all = board.cards(list);
    own.announce(fill(text, { '%c': board.titleOf(item), '%k': board.columnOf(list.dataset.cell), '%p': all.indexOf(item) + 1, '%n': all.length }));
  }
  function focus(item) { item.querySelector('.kc-title a').focus({ preventScroll: true }); item.scrollIntoView({ block: 'nearest', inline: 'nearest' }); }
  function pick(item) {
    picked = item;
    start = board.placeOf(item);
    board.busy = true;
    item.classList.add('is-picked');
    say(words.picked, item);
  }
  function release() {
    picked.classList.remove('is-picked');
    picked = null;
    board.busy = false;
  }
  function dropIt() {
    const item = picked, place = board.placeOf(item), before = start;
    release();
    say(words.dropped, item);
    if (place.cell !== before.cell || place.after !== before.after) { board.move(item, place, before); }
  }
  function cancel(quiet) {
    const item = picked;
    shift(() => board.put(item, start));
    release();
    if (!quiet) { focus(item); }
    own.announce(fill(words.cancelled, { '%c': board.titleOf(item) }));
  }
  function shift(act) { shifting = true; act(); shifting = false; }
  /* The list beside, above or below: columns in a lane, lanes in a column. */
  function beside(list, across, by) {
    const parts = list.dataset.cell.split(':'), all = board.cells();
    const row = all.filter(one => one.dataset.cell.split(':')[across ? 1 : 0] === parts[across ? 1 : 0]);
    return row[row.indexOf(list) + by] || null;
  }
  function step(key) {
    const item = picked, list = item.parentElement;
    shift(() => {
      if (key === 'ArrowUp' && item.previousElementSibling) { item.previousElementSibling.before(item); }
      else if (key === 'ArrowDown' && item.nextElementSibling) { item.nextElementSibling.after(item); }
      else {
        const across = key === 'ArrowLeft' || key === 'ArrowRight', by = key === 'ArrowLeft' || key === 'ArrowUp' ? -1 : 1;
        const other = beside(list, across, by);
        if (!other) { return; }
        const place = board.cards(list).indexOf(item);
        if (!across && by > 0) { other.prepend(item); }
        else if (!across) { other.append(item); }
        else { other.insertBefore(item, board.cards(other)[place] || null); }
      }
      focus(item);
    });
    say(words.at, item);
  }
  root.addEventListener('keydown', event => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) { return; }
    const item = event.target.closest('.kc');
    if (picked) {
      if (/^Arrow/.test(event.key)) { event.preventDefault(); step(event.key); }
      else if (event.key === ' ' || event.key === 'Enter') { event.preventDefault(); dropIt(); focus(item); }
      else if (event.key === 'Escape') { event.preventDefault(); cancel(false); }
      return;
    }
    if (event.key === ' ' && item && event.target.matches('.kc-title a')) { event.preventDefault(); pick(item); }
  });
  root.addEventListener('focusout', () => {
    /* Who turns to something else has not dropped it: it goes back, and nothing is lost. */
    if (picked && !shifting) { setTimeout(() => { if (picked && !picked.contains(document.activeElement)) { cancel(true); } }, 0); }
  });

  /* -- menu: “Move to…”, which without this script is a page -------------------------------------------------------------- */

  function menu(item) {
    const dialog = own.make('dialog', 'rse-dialog rse-slot'), title = own.make('h2', '', fill(words.choose, { '%c': board.titleOf(item) }));
    title.id = 'kb-move-title';
    dialog.setAttribute('aria-labelledby', title.id);
    dialog.append(title);
    const list = own.make('ul', 'kb-menu'), here = item.parentElement.dataset.cell;
    board.cells().forEach(target => {
      const name = target.dataset.cell, row = own.make('li'), button = own.make('button', 'rse-button', board.columnOf(name));
      button.type = 'button';
      if (name === here) { button.setAttribute('aria-current', 'true'); }
      button.addEventListener('click', () => {
        const before = board.placeOf(item);
        dialog.close();
        target.append(item);
        board.move(item, board.placeOf(item), before);
        focus(item);
      });
      row.append(button);
      list.append(row);
    });
    const close = own.make('button', 'rse-button rse-quiet', words.close);
    close.type = 'button';
    close.addEventListener('click', () => dialog.close());
    dialog.append(list, close);
    board.busy = true;
    dialog.addEventListener('close', () => {
      board.busy = false;
      dialog.remove();
      const link = item.querySelector('.kc-move');
      if (document.activeElement === document.body && link) { link.focus(); }
    });
    document.body.append(dialog);
    dialog.showModal();
    list.querySelector('button').focus();
  }
  root.addEventListener('click', event => {
    const link = event.target.closest('.kc-move');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) { return; }
    event.preventDefault();
    menu(link.closest('.kc'));
  });
}());

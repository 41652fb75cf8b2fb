/* The keyboard: "?" lists the shortcuts; Escape closes what was opened last and gives the focus back. Shortcuts of one
   letter can be switched off, on this device, in the list. */
(function () {
  'use strict';
  const own = window.rseOwn;
  if (!own) { return; }
  const OFF = 'rse:keys-off', GO = 1500;
  const opened = [];
  let going = 0, dialog = null, before = null;

  function typing(target) {
    return target.isContentEditable || (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && !/^(checkbox|radio|button|submit)$/.test(target.type));
  }
  function articles() {
    /* Inside the intranet's look, its own articles are none of ours. */
    const page = document.querySelector('.rse-page'), list = page.querySelector('[data-rse-list]');
    return Array.from((list || page).querySelectorAll('article')).filter(one => !one.parentElement.closest('article'));
  }
  function step(by) {
    const all = articles();
    if (!all.length) { return; }
    const here = all.findIndex(one => one.contains(document.activeElement));
    const next = here < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(here + by, 0), all.length - 1);
    if (!all[next].hasAttribute('tabindex')) { all[next].tabIndex = -1; }
    all[next].focus({ preventScroll: true });
    all[next].scrollIntoView({ block: 'nearest' });
  }
  function act(element) {
    if (!element) { return false; }
    const folded = element.closest('details');
    if (folded) { folded.open = true; }
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName)) { element.focus(); } else { element.click(); }
    return true;
  }
  function search() { return document.querySelector('.rse-page input[type=search]') || document.querySelector('[data-rse-key="/"], input[type=search]'); }
  /* The menu stands twice in the page, wide and folded. */
  function places() {
    const all = Array.from(document.querySelectorAll('[data-rse-go]'));
    return all.filter((link, place) => all.findIndex(one => one.dataset.rseGo === link.dataset.rseGo) === place);
  }

  /* What one key does to the item that has the focus: an element of it that says data-rse-key and data-rse-name. */
  function within(key) {
    const one = articles().find(article => article.contains(document.activeElement));
    return one && Array.from(one.querySelectorAll('[data-rse-key][data-rse-name]')).find(element => element.dataset.rseKey === key);
  }

  function known() {
    const rows = [], seen = [];
    if (articles().length) { rows.push(['j', own.words.next], ['k', own.words.previous]); }
    articles().forEach(one => one.querySelectorAll('[data-rse-key][data-rse-name]').forEach(element => {
      if (!seen.includes(element.dataset.rseKey)) {
        seen.push(element.dataset.rseKey);
        rows.push([element.dataset.rseKey, element.dataset.rseName]);
      }
    }));
    if (document.querySelector('[data-rse-key="n"]')) { rows.push(['n', own.words.write]); }
    if (search()) { rows.push(['/', own.words.search]); }
    places().forEach(link => rows.push(['g ' + link.dataset.rseGo, own.words.go.replace('%s', link.dataset.rseName || link.textContent.trim())]));
    rows.push(['?', own.words.keys], [own.words.escape, own.words.close]);
    return rows;
  }
  function list() {
    if (dialog) { dialog.remove(); }
    before = document.activeElement;
    dialog = own.make('dialog', 'rse-dialog rse-slot');
    const title = own.make('h2', '', own.words.keys), table = own.make('dl', 'rse-keys');
    title.id = 'rse-keys-title';
    dialog.setAttribute('aria-labelledby', title.id);
    known().forEach(([key, meaning]) => {
      const term = own.make('dt');
      key.split(' ').forEach(one => term.append(own.make('kbd', '', one), ' '));
      table.append(term, own.make('dd', '', meaning));
    });
    const line = own.make('p', 'rse-check'), box = own.make('input'), label = own.make('label', '', own.words.letters);
    box.type = 'checkbox';
    box.id = label.htmlFor = 'rse-keys-on';
    box.checked = !own.store('localStorage', OFF);
    box.addEventListener('change', () => own.store('localStorage', OFF, box.checked ? null : '1'));
    line.append(box, label);
    const close = own.make('button', 'rse-button rse-primary', own.words.closing);
    close.type = 'button';
    close.addEventListener('click', () => dialog.close());
    dialog.addEventListener('close', () => { if (before && before.isConnected) { before.focus(); } });
    dialog.append(title, table, line, close);
    document.body.append(dialog);
    dialog.showModal();
    close.focus();
  }

  document.addEventListener('toggle', event => {
    if (event.target.tagName !== 'DETAILS') { return; }
    const place = opened.indexOf(event.target);
    if (place >= 0) { opened.splice(place, 1); }
    if (event.target.open) { opened.push(event.target); }
  }, true);
  document.addEventListener('click', event => {
    /* A menu closes when one turns to something else; a fold in the text stays. */
    document.querySelectorAll('details.rse-menu[open]').forEach(menu => { if (!menu.contains(event.target)) { menu.open = false; } });
    const asked = event.target.closest && event.target.closest('[data-rse-keys]');
    if (asked) { event.preventDefault(); list(); }
  });
  document.addEventListener('keydown', event => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) { return; }
    if (event.key === 'Escape') {
      const last = opened.pop();
      if (last && last.isConnected) {
        event.preventDefault();
        last.open = false;
        last.querySelector('summary').focus();
      }
      return;
    }
    if (typing(event.target)) { return; }
    if (event.key === '?') { event.preventDefault(); list(); return; }
    if (own.store('localStorage', OFF)) { return; }
    let done = true;
    if (Date.now() - going < GO) {
      done = act(places().find(link => link.dataset.rseGo === event.key));
      going = 0;
    } else if (event.key === 'g') { going = Date.now(); }
    else if (event.key === 'j') { step(1); }
    else if (event.key === 'k') { step(-1); }
    else if (event.key === 'n') { done = act(document.querySelector('[data-rse-key="n"]')); }
    else if (event.key === '/') { done = act(search()); }
    else { done = act(within(event.key)); }
    if (done) { event.preventDefault(); }
  });
  document.querySelectorAll('[data-rse-keys][hidden]').forEach(button => { button.hidden = false; });
}());

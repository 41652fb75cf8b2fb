/* Lists that go on: the next page is added below; what is new is offered by a bar and never moves what one reads. */
(function () {
  'use strict';
  const own = window.rseOwn;
  if (!own) { return; }
  const EVERY = 30000, MOST = 600000;

  /* <a data-rse-more="ID" href="the next page">, ID naming the list; without one, the page's only [data-rse-list]. */
  function listOf(link, root) {
    const id = link.dataset.rseMore;
    return id ? root.querySelector('#' + CSS.escape(id)) : root.querySelector('[data-rse-list]');
  }
  function linkOf(root, id) {
    return Array.from(root.querySelectorAll('a[data-rse-more]')).find(one => one.dataset.rseMore === id);
  }
  function add(link) {
    const list = listOf(link, document);
    if (!list || link.getAttribute('aria-busy')) { return; }
    link.setAttribute('aria-busy', 'true');
    fetch(link.href, { credentials: 'same-origin', headers: { Accept: 'text/html' } })
      .then(answer => { if (!answer.ok) { throw answer; } return answer.text(); })
      .then(html => {
        const page = new DOMParser().parseFromString(html, 'text/html'), next = listOf(link, page);
        if (!next) { throw page; }
        const fresh = Array.from(next.children).filter(item => !item.id || !document.getElementById(item.id));
        fresh.forEach(item => { list.append(document.adoptNode(item)); own.told('rse:parts', { box: item }); });
        const further = linkOf(page, link.dataset.rseMore);
        if (further) { link.href = further.getAttribute('href'); link.removeAttribute('aria-busy'); } else { link.remove(); }
        own.announce(own.words.added.replace('%s', String(fresh.length)));
        const first = fresh[0] && (fresh[0].querySelector('article') || fresh[0]);
        if (first) { first.tabIndex = -1; first.focus({ preventScroll: true }); }
      })
      .catch(() => { location.assign(link.href); });
  }
  document.addEventListener('click', event => {
    const link = event.target.closest && event.target.closest('a[data-rse-more]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button || !listOf(link, document)) { return; }
    event.preventDefault();
    add(link);
  });

  /* <div data-rse-new="URL">: the address answers {"count": 3, "label": "3 new posts"}, conditionally. */
  function watch(box) {
    let failures = 0, timer = 0, shown = '';
    function show(body) {
      const label = body.count ? body.label : '';
      if (label === shown) { return; }
      shown = label;
      box.textContent = '';
      if (!label) { return; }
      const link = own.make('a', 'rse-button rse-primary rse-newer', label);
      link.href = box.dataset.rseHref || location.pathname + location.search;
      box.append(link);
      own.announce(label);
    }
    function ask() {
      clearTimeout(timer);
      if (document.hidden) { return; }
      /* The browser keeps the last answer and asks whether it still holds (ETag). */
      fetch(box.dataset.rseNew, { credentials: 'same-origin', cache: 'no-cache', redirect: 'manual', headers: { Accept: 'application/json' } })
        .then(answer => {
          if (!answer.ok) { throw answer; }
          return answer.json();
        })
        .then(body => { failures = 0; show(body); })
        .catch(answer => {
          failures += 1;
          if (answer.type === 'opaqueredirect' || [401, 403, 404].includes(answer.status)) { failures = -1; }
        })
        .then(plan);
    }
    function plan() {
      clearTimeout(timer);
      if (failures >= 0 && box.isConnected) { timer = setTimeout(ask, Math.min(EVERY * Math.pow(2, failures), MOST)); }
    }
    document.addEventListener('visibilitychange', () => { if (!document.hidden && failures >= 0) { ask(); } });
    plan();
  }
  document.querySelectorAll('[data-rse-new]').forEach(watch);
}());

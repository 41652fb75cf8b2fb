/* Lists that go on: the next page is added below; what is new is offered by a bar and never moves what one reads. */
(function () {
  'use strict';
  const own = window.rseOwn;
  if (!own) { return; }

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

  /* <div data-rse-new="URL">: the address answers {"count": 3, "label": "3 new posts"}, conditionally. It is asked by
     rse-live.js, from time to time or when the topic of the element changes. */
  document.addEventListener('rse:changed', event => {
    const box = event.target, body = event.detail.answer;
    if (!box.matches || !box.matches('[data-rse-new]') || !body) { return; }
    const label = body.count ? body.label : '', shown = box.firstElementChild ? box.firstElementChild.textContent : '';
    if (label === shown) { return; }
    box.textContent = '';
    if (!label) { return; }
    const link = own.make('a', 'rse-button rse-primary rse-newer', label);
    link.href = box.dataset.rseHref || location.pathname + location.search;
    box.append(link);
    own.announce(label);
  });
}());

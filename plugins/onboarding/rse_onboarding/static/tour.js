/* The tour, beside the page that it tells of. Without this file the bar leads to a page with all the steps.
   It does not hold the page: what a step points at can be tried while the tour stands beside it. */
(function () {
  'use strict';
  if (window.rseTour) { return; }
  window.rseTour = true;
  let marked = null;

  function mark(selector) {
    if (marked) { marked.style.removeProperty('outline'); marked.style.removeProperty('outline-offset'); marked = null; }
    let found = null;
    try { found = selector && document.querySelector(selector); } catch (error) { /* a selector that this browser does not know */ }
    if (!found || !found.getClientRects().length) { return false; }
    marked = found;
    /* Important: a slot in the intranet's page refuses the page's styles, and this is ours. */
    found.style.setProperty('outline', '3px solid currentColor', 'important');
    found.style.setProperty('outline-offset', '4px', 'important');
    const still = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
    found.scrollIntoView({ block: window.innerWidth < 640 ? 'start' : 'center', behavior: still ? 'auto' : 'smooth' });
    return true;
  }

  function setUp(bar) {
    const dialog = bar.querySelector('dialog');
    if (!dialog || !dialog.show || bar.rseTour) { return; }
    bar.rseTour = true;
    const trigger = bar.querySelector('[data-rse-tour-open]');
    const steps = Array.from(dialog.querySelectorAll('[data-rse-step]'));
    const keep = bar.querySelector('form[data-rse-tour-keep]');
    let at = Math.min(Number(dialog.dataset.rseAt) || 0, steps.length - 1);

    function show(number) {
      at = Math.max(0, Math.min(number, steps.length - 1));
      steps.forEach((step, index) => { step.hidden = index !== at; });
      bar.querySelectorAll('input[name=step]').forEach(field => { field.value = steps[at].dataset.rseStep; });
      const title = steps[at].querySelector('h2');
      dialog.setAttribute('aria-labelledby', title.id);
      /* What it points at is here: nowhere to lead to. */
      steps[at].querySelector('[data-rse-tour-where]').hidden = mark(steps[at].dataset.rseSelector);
      title.focus({ preventScroll: true });
    }
    function open() {
      if (!dialog.open) { dialog.show(); }
      show(at);
    }
    function close() {
      dialog.close();
      mark('');
      if (trigger) { trigger.focus(); }
      store();
    }
    /* Where it was left, for the next page. On our pages the form has its token; in the intranet's the script that
       brought the bar sends it. */
    function store() {
      if (!keep) { return; }
      if (keep.elements.csrf_token) {
        fetch(keep.action, { method: 'POST', body: new FormData(keep), credentials: 'same-origin', redirect: 'manual' }).catch(() => {});
        if (trigger && trigger.dataset.rseAgain) { trigger.lastElementChild.textContent = trigger.dataset.rseAgain; }
      } else {
        keep.requestSubmit();
      }
    }
    dialog.addEventListener('click', event => {
      const button = event.target.closest('button');
      if (!button) { return; }
      if (button.hasAttribute('data-rse-tour-next')) { show(at + 1); }
      if (button.hasAttribute('data-rse-tour-back')) { show(at - 1); }
      if (button.hasAttribute('data-rse-tour-close')) { close(); }
    });
    dialog.addEventListener('keydown', event => {
      if (event.altKey || event.ctrlKey || event.metaKey) { return; }
      if (event.key === 'Escape') { event.preventDefault(); event.stopPropagation(); close(); }
      if (event.key === 'ArrowRight' && at < steps.length - 1) { event.preventDefault(); show(at + 1); }
      if (event.key === 'ArrowLeft' && at > 0) { event.preventDefault(); show(at - 1); }
    });
    /* Also when the focus is in the page that the tour stands beside, unless something there closes first. */
    document.addEventListener('keydown', event => {
      if (event.key === 'Escape' && dialog.open && dialog.isConnected && !event.defaultPrevented) { close(); }
    });
    if (trigger) { trigger.addEventListener('click', event => { event.preventDefault(); open(); }); }
    if (dialog.hasAttribute('data-rse-open')) { open(); }
  }
  function look(root) { root.querySelectorAll('[data-rse-tour]').forEach(setUp); }

  document.addEventListener('rse:slot', event => { if (event.detail.name === 'top') { look(event.detail.box); } });
  look(document);
  document.querySelectorAll('rse-slot').forEach(slot => { if (slot.shadowRoot) { look(slot.shadowRoot); } });
}());

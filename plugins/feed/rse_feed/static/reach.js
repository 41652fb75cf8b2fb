/* The real reach beside the choice of an audience follows that choice. Without it: that of the audience chosen at first. */
(function () {
  'use strict';
  document.querySelectorAll('[data-rse-reach]').forEach(function (box) {
    const form = box.closest('form');
    const field = form && form.elements[box.getAttribute('data-rse-field')];
    const place = box.querySelector('[data-rse-reached]');
    if (!field || !place) { return; }
    let asked = 0;
    field.addEventListener('change', function () {
      const mine = ++asked;
      const url = box.getAttribute('data-rse-reach') + '?audience=' + encodeURIComponent(field.value);
      fetch(url, { credentials: 'same-origin' })
        .then(answer => (answer.ok ? answer.text() : ''))
        .then(html => { if (mine === asked) { place.innerHTML = html; } })
        .catch(() => { if (mine === asked) { place.textContent = ''; } });
    });
  });
}());

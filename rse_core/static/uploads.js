/* Files that are chosen: too large or too many is said before they are sent, and each picture gets a field for its
   description. */
(function () {
  'use strict';
  const own = window.rseOwn;
  if (!own) { return; }
  let count = 0;

  function chosen(box, input) {
    const old = box.querySelector('.rse-upload-chosen'), files = Array.from(input.files);
    if (old) { old.remove(); }
    own.clear(box);
    const large = files.find(file => file.size > Number(box.dataset.rseMegabytes) * 1048576);
    const kept = box.querySelectorAll('[name="' + box.dataset.rseUpload + '_kept"]').length
      - box.querySelectorAll('[name="' + box.dataset.rseUpload + '_remove"]:checked').length;
    let wrong = large ? box.dataset.rseTooLarge.replace('%s', large.name) : '';
    if (input.multiple && kept + files.length > Number(box.dataset.rseMost)) { wrong = box.dataset.rseTooMany; }
    input.setCustomValidity(wrong);
    if (wrong) { own.beside(input, wrong); own.announce(wrong); return; }
    if (!box.dataset.rseAltLabel || !files.some(file => /^image\//.test(file.type))) { return; }
    const list = own.make('div', 'rse-upload-chosen');
    files.forEach(file => {
      /* One for every file, in their order: the server tells them apart by their place. */
      const alt = own.make('input', 'rse-input');
      alt.name = box.dataset.rseUpload + '_newalt';
      if (!/^image\//.test(file.type)) { alt.type = 'hidden'; list.append(alt); return; }
      const label = own.make('label', 'rse-label', box.dataset.rseAltLabel.replace('%s', file.name));
      alt.id = label.htmlFor = 'rse-newalt-' + (++count);
      alt.maxLength = 500;
      list.append(label, alt);
    });
    box.append(list);
  }
  document.addEventListener('change', event => {
    const box = event.target.closest && event.target.closest('[data-rse-upload]');
    const input = box && box.querySelector('input[type=file]');
    if (input && (event.target === input || event.target.type === 'checkbox')) { chosen(box, input); }
  });
  document.addEventListener('reset', event => {
    event.target.querySelectorAll('.rse-upload-chosen').forEach(list => list.remove());
  });
}());

/* What changes elsewhere while a page is open: heard at once where the site tells it (one EventSource for the page), else asked
   for from time to time, conditionally. A hidden page neither listens nor asks.

   <div data-rse-topic="kanban.board:7" data-rse-ask="URL">: when the topic changes, the address is asked and, if its answer is
   another than before, the element gets the event "rse:changed" (it bubbles) with {topic, answer}. Without an address the event
   comes with the topic alone, and only where the site tells changes. data-rse-every: seconds between two questions. */
(function () {
  'use strict';
  const voice = document.getElementById('rse-live');
  if (!voice || window.rseLive) { return; }
  const EVERY = 30000, MOST = 600000, SAFE = 300000, AWAY = 10000, SOON = 3000;
  const url = voice.dataset.rseLive || '', all = [];
  let source = null, heard = new Set(), began = false, failures = 0, again = 0, away = 0;

  /* Asking. Elements that ask the same are asked for once. */
  function present(one) { return one.boxes.some(box => box.isConnected); }
  function tell(one, answer) {
    const detail = { topic: one.topic, answer: answer };
    one.boxes.forEach(box => box.dispatchEvent(new CustomEvent('rse:changed', { bubbles: true, detail: detail })));
  }
  function plan(one) {
    if (one.failures < 0 || !one.ask) { return; }
    const usual = one.topic && heard.has(one.topic) ? SAFE : one.every;
    soon(one, Math.min(usual * Math.pow(2, one.failures), MOST), true);
  }
  function soon(one, wait, afresh) {
    const due = Date.now() + wait;
    if (one.failures < 0 || (!afresh && one.timer && one.due <= due)) { return; }
    clearTimeout(one.timer);
    one.due = due;
    one.timer = setTimeout(() => ask(one), wait);
  }
  function ask(one) {
    clearTimeout(one.timer);
    one.timer = 0;
    if (document.hidden || one.failures < 0 || !present(one)) { return; }
    if (!one.ask) { tell(one, null); return; }
    if (one.busy) { one.more = true; return; }
    one.busy = true;
    /* The browser keeps the last answer and asks whether it still holds (ETag). */
    fetch(one.ask, { credentials: 'same-origin', cache: 'no-cache', redirect: 'manual', headers: { Accept: 'application/json' } })
      .then(answer => {
        if (!answer.ok) { throw answer; }
        return answer.json().then(body => {
          const mark = answer.headers.get('ETag') || JSON.stringify(body);
          one.failures = 0;
          if (mark !== one.mark) { one.mark = mark; tell(one, body); }
        });
      })
      .catch(answer => {
        one.failures += 1;
        if (answer.type === 'opaqueredirect' || [401, 403, 404].includes(answer.status)) { one.failures = -1; }
      })
      .then(() => {
        one.busy = false;
        if (one.more) { one.more = false; soon(one, 0, true); } else { plan(one); }
      });
  }
  function changed(topic, within) {
    all.forEach(one => { if (one.topic && (topic === null || one.topic === topic)) { soon(one, Math.random() * within); } });
  }

  /* Listening. */
  function topics() {
    return Array.from(new Set(all.filter(one => one.topic && present(one)).map(one => one.topic))).slice(0, 50);
  }
  function silent() {
    heard = new Set();
    all.forEach(one => { if (!one.busy) { plan(one); } });
  }
  function close() {
    clearTimeout(again);
    again = 0;
    if (source) { source.close(); source = null; }
  }
  function later(wait) {
    clearTimeout(again);
    again = setTimeout(connect, wait);
  }
  function connect() {
    const wanted = topics();
    close();
    if (!url || document.hidden || !wanted.length || !window.EventSource) { return; }
    source = new EventSource(url + '?' + wanted.map(topic => 'topic=' + encodeURIComponent(topic)).join('&'));
    source.addEventListener('ready', event => {
      heard = new Set(JSON.parse(event.data).topics);
      failures = 0;
      /* Not for the first time: something may have been missed. */
      if (began) { changed(null, SOON); }
      began = true;
      all.forEach(one => { if (one.mark !== undefined && !one.busy) { plan(one); } });
    });
    source.addEventListener('changed', event => {
      const body = JSON.parse(event.data);
      changed(body.topic, body.within || 0);
    });
    source.addEventListener('again', event => { changed(null, JSON.parse(event.data).within || 0); });
    source.addEventListener('gone', event => {
      JSON.parse(event.data).topics.forEach(topic => heard.delete(topic));
      all.forEach(one => { if (one.topic && !heard.has(one.topic)) { soon(one, 0); } });
    });
    source.addEventListener('end', () => { close(); silent(); later(SAFE); });
    source.onerror = () => {
      silent();
      /* The browser tries again by itself, unless it was refused. */
      if (source && source.readyState === 2) {
        source = null;
        failures += 1;
        later(Math.min(2500 * Math.pow(2, failures), SAFE) * (0.5 + Math.random()));
      }
    };
  }
  document.addEventListener('visibilitychange', () => {
    clearTimeout(away);
    if (document.hidden) {
      away = setTimeout(() => { close(); heard = new Set(); }, AWAY);
      return;
    }
    all.forEach(one => { if (one.ask || url) { soon(one, 0); } });
    if (!source && !again) { connect(); }
  });
  /* A page that the browser keeps for the way back does not listen meanwhile. */
  window.addEventListener('pagehide', close);
  window.addEventListener('pageshow', event => { if (event.persisted) { all.forEach(one => soon(one, 0)); connect(); } });

  function follow(box) {
    const topic = box.dataset.rseTopic || '', address = box.dataset.rseAsk || box.dataset.rseNew || '';
    const same = all.find(one => one.topic === topic && one.ask === address);
    if (same) {
      if (!same.boxes.includes(box)) { same.boxes.push(box); }
      return;
    }
    const one = {
      boxes: [box], topic: topic, ask: address, every: (Number(box.dataset.rseEvery) || 0) * 1000 || EVERY,
      mark: undefined, failures: 0, timer: 0, due: 0, busy: false, more: false
    };
    all.push(one);
    plan(one);
  }
  const WANTED = '[data-rse-topic],[data-rse-ask],[data-rse-new]';
  document.querySelectorAll(WANTED).forEach(follow);
  /* Parts of the page that are made anew; those that they replace are let go. */
  document.addEventListener('rse:parts', event => {
    const before = topics().join(' '), box = event.detail.box;
    for (let i = all.length - 1; i >= 0; i -= 1) {
      all[i].boxes = all[i].boxes.filter(box => box.isConnected);
      if (!all[i].boxes.length) { clearTimeout(all[i].timer); all.splice(i, 1); }
    }
    if (box.matches(WANTED)) { follow(box); }
    box.querySelectorAll(WANTED).forEach(follow);
    if (topics().join(' ') !== before) { connect(); }
  });

  /* <a data-rse-badge data-rse-ask="URL">: the address answers {"count": 3}. */
  function short(count) { return count < 100 ? String(count) : '99+'; }
  function badge(box, count) {
    let mark = box.querySelector('.rse-count-badge');
    if (!count) { if (mark) { mark.remove(); } return; }
    if (!mark) {
      mark = document.createElement('span');
      mark.className = 'rse-count-badge';
      box.append(' ', mark);
    }
    mark.textContent = short(count);
  }
  document.addEventListener('rse:changed', event => {
    const box = event.target, body = event.detail.answer;
    if (!box.matches || !box.matches('[data-rse-badge]') || !body || typeof body.count !== 'number') { return; }
    badge(box, body.count);
    const fold = box.closest('.rse-nav-fold, .rse-nav-more');
    if (!fold) { return; }
    let sum = 0;
    fold.querySelectorAll('.rse-nav .rse-count-badge').forEach(mark => { sum += parseInt(mark.textContent, 10) || 0; });
    badge(fold.querySelector('summary'), sum);
  });
  window.rseLive = { follow: box => { follow(box); if (url && !heard.has(box.dataset.rseTopic || '')) { connect(); } } };
  connect();
}());

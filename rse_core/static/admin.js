// The cursor: one vertical slider in the place of six radio buttons, and its effect while it moves.
// Without this file the page works by radio buttons and the button "See the effect".
(function () {
  "use strict";
  var form = document.querySelector(".rse-cursor");
  if (!form) return;
  var box = form.querySelector(".rse-notches");
  var ladder = form.querySelector(".rse-ladder");
  var effect = document.getElementById("effect");
  var panel = form.querySelector(".rse-effect");
  var apply = form.querySelector(".rse-apply");
  var withdraw = document.getElementById("level-none");
  var stop = Number(form.dataset.stop);
  var rows = Array.prototype.slice.call(ladder.querySelectorAll(".rse-notch"));
  var radios = rows.map(function (row) { return row.querySelector("input"); });
  var started = radios.filter(function (radio) { return radio.checked; })[0];

  var range = document.createElement("input");
  range.type = "range";
  range.className = "rse-range";
  range.min = "0";
  range.max = "5";
  range.step = "1";
  range.value = started ? started.value : "0";
  range.setAttribute("aria-label", box.querySelector("legend").textContent);
  range.setAttribute("aria-orientation", "vertical");
  ladder.appendChild(range);
  form.classList.add("has-slider");
  form.querySelector(".rse-show").hidden = true;
  // The radio buttons stay in the form as what is sent; the slider is what is worked and announced.
  radios.forEach(function (radio) { radio.tabIndex = -1; });

  function nameOf(level) {
    return ladder.querySelector('[data-level="' + level + '"] .rse-notch-name').textContent;
  }

  function show(barred) {
    var level = Number(range.value);
    var text = nameOf(level);
    range.setAttribute("aria-valuetext", barred ? text + ", " + form.dataset.stopText : text);
    var none = withdraw && withdraw.checked;
    box.dataset.value = none ? "" : String(level);
    range.classList.toggle("is-withdrawn", Boolean(none));
    rows.forEach(function (row) {
      var own = Number(row.dataset.level);
      row.classList.toggle("is-chosen", !none && own === level);
      row.classList.toggle("is-under", !none && own <= level);
    });
  }

  function choose(level) {
    var barred = level > stop;
    if (barred) level = stop;
    range.value = String(level);
    radios.forEach(function (radio) { radio.checked = Number(radio.value) === level; });
    show(barred);
    ask();
  }

  var waiting = null;
  var running = null;
  function ask() {
    clearTimeout(waiting);
    waiting = setTimeout(load, 180);
  }

  function load() {
    if (running) running.abort();
    running = new AbortController();
    panel.classList.add("is-busy");
    apply.disabled = true;
    var sent = new URLSearchParams(new FormData(form));
    sent.delete("csrf_token");
    sent.delete("return_to");
    sent.delete("version");
    fetch(form.dataset.effect + "?" + sent, { signal: running.signal, headers: { Accept: "text/html" } })
      .then(function (answer) {
        if (!answer.ok) throw new Error(String(answer.status));
        return answer.text();
      })
      .then(function (html) {
        effect.innerHTML = html;
        panel.classList.remove("is-busy");
        apply.hidden = !effect.querySelector(".rse-effect-sentence");
        apply.disabled = false;
      })
      .catch(function (error) {
        if (error.name === "AbortError") return;
        // The count failed, not the page: the plain button still works.
        panel.classList.remove("is-busy");
        form.querySelector(".rse-show").hidden = false;
        apply.hidden = true;
      });
  }

  range.addEventListener("input", function () { choose(Number(range.value)); });
  rows.forEach(function (row) {
    row.addEventListener("click", function (event) {
      event.preventDefault();
      choose(Number(row.dataset.level));
      range.focus();
    });
  });
  if (withdraw) withdraw.addEventListener("change", function () { show(false); ask(); });
  ["from_date", "from_time"].forEach(function (name) {
    form.elements[name].addEventListener("change", function () {
      if (form.dataset.moved === "1" || !apply.hidden) ask();
    });
  });
  show(false);
})();

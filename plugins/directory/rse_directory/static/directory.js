// Proposals while one types: people, in a list worked by the arrow keys.
// Without this file the form searches as it is.
(function () {
  "use strict";
  var WAIT = 150;

  function start(field, index) {
    var input = field.querySelector("input");
    var list = document.createElement("ul");
    var said = document.createElement("p");
    var timer = 0, asked = 0, shown = "", current = -1;
    list.id = "rse-dir-options-" + index;
    list.className = "rse-dir-options";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", field.dataset.rseLabel);
    list.hidden = true;
    said.className = "rse-hidden";
    said.setAttribute("role", "status");
    field.appendChild(list);
    field.appendChild(said);
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-controls", list.id);

    function close() {
      list.hidden = true;
      current = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    }

    function choose(at) {
      var options = list.children;
      if (current >= 0 && options[current]) options[current].setAttribute("aria-selected", "false");
      current = at;
      if (at < 0) { input.removeAttribute("aria-activedescendant"); return; }
      options[at].setAttribute("aria-selected", "true");
      input.setAttribute("aria-activedescendant", options[at].id);
    }

    function show(found) {
      list.textContent = "";
      current = -1;
      found.forEach(function (one, at) {
        var option = document.createElement("li");
        var kind = document.createElement("span");
        option.id = list.id + "-" + at;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.dataset.url = one.url;
        option.appendChild(document.createTextNode(one.title + " "));
        kind.textContent = one.label;
        option.appendChild(kind);
        list.appendChild(option);
      });
      list.hidden = !found.length;
      input.setAttribute("aria-expanded", String(found.length > 0));
      input.removeAttribute("aria-activedescendant");
      said.textContent = !found.length ? field.dataset.rseNone
        : found.length === 1 ? field.dataset.rseOne : field.dataset.rseMany.replace("%s", String(found.length));
    }

    function ask() {
      var typed = input.value.trim();
      if (typed === shown) return;
      shown = typed;
      asked += 1;
      var mine = asked;
      if (typed.length < 2) { close(); return; }
      fetch(field.dataset.rsePeople + "?q=" + encodeURIComponent(typed), { headers: { Accept: "application/json" } })
        .then(function (answer) { return answer.ok ? answer.json() : []; })
        .then(function (found) {
          // A slow answer to what was typed before must not replace a later one.
          if (mine === asked && document.activeElement === input) show(found);
        })
        .catch(close);
    }

    input.addEventListener("input", function () { clearTimeout(timer); timer = setTimeout(ask, WAIT); });
    input.addEventListener("keydown", function (event) {
      var number = list.hidden ? 0 : list.children.length;
      if (event.key === "Escape" && number) { close(); event.preventDefault(); return; }
      if (event.key === "ArrowDown" && number) { choose(current + 1 < number ? current + 1 : -1); event.preventDefault(); }
      if (event.key === "ArrowUp" && number) { choose(current < 0 ? number - 1 : current - 1); event.preventDefault(); }
      if (event.key === "Enter" && number && current >= 0) {
        event.preventDefault();
        window.location.assign(list.children[current].dataset.url);
      }
    });
    // mousedown: the field would lose the focus, and the list close, before a click arrives.
    list.addEventListener("mousedown", function (event) { event.preventDefault(); });
    list.addEventListener("click", function (event) {
      var option = event.target.closest("[role=option]");
      if (option) window.location.assign(option.dataset.url);
    });
    input.addEventListener("blur", close);
  }

  Array.prototype.forEach.call(document.querySelectorAll("[data-rse-people]"), start);
})();

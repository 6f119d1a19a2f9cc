"use strict";
// Comfort only: without scripts every verdict, table, picture and completion is there.
(function () {
  function reveal() {
    var target = location.hash.length > 1 && document.getElementById(location.hash.slice(1).split("?")[0]);
    if (target && target.tagName === "DETAILS") {
      target.hidden = false;
      target.open = true;
      target.scrollIntoView();
      target.firstElementChild.focus({preventScroll: true});
    }
  }

  function filter(section) {
    var controls = section.querySelector(".controls");
    var buttons = Array.from(controls.querySelectorAll("button"));
    var search = controls.querySelector("input");
    var output = controls.querySelector("output");
    var items = Array.from(section.querySelectorAll(".problem"));

    function remember(kinds, wanted) {
      var kept = new URLSearchParams();
      if (kinds.length) kept.set("class", kinds.join(","));
      if (wanted) kept.set("text", wanted);
      history.replaceState(null, "", "#" + section.id + (String(kept) && "?" + kept));
    }

    function recall() {
      var parts = location.hash.slice(1).split("?");
      if (parts[0] !== section.id || !parts[1]) return;
      var kept = new URLSearchParams(parts[1]);
      var kinds = (kept.get("class") || "").split(",");
      buttons.forEach(function (b) { b.setAttribute("aria-pressed", kinds.includes(b.dataset.kind)); });
      search.value = kept.get("text") || "";
      apply();
    }

    function apply() {
      var kinds = buttons.filter(function (b) { return b.getAttribute("aria-pressed") === "true"; })
        .map(function (b) { return b.dataset.kind; });
      var wanted = search.value.trim().toLowerCase();
      var shown = 0;
      items.forEach(function (item) {
        var fits = (!kinds.length || kinds.includes(item.dataset.kind))
          && (!wanted || item.textContent.toLowerCase().includes(wanted));
        item.hidden = !fits;
        shown += fits;
      });
      output.textContent = shown === items.length ? "" : shown + " of " + items.length;
      return [kinds, wanted];
    }

    buttons.forEach(function (button) {
      button.addEventListener("click", function () {
        button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true");
        remember.apply(null, apply());
      });
    });
    search.addEventListener("input", function () { remember.apply(null, apply()); });
    controls.hidden = false;
    recall();
    window.addEventListener("hashchange", recall);
  }

  // The clipboard may be refused; what was selected can still be copied by key.
  function copying(button) {
    var text = document.getElementById("summary");
    var said = button.parentNode.querySelector("output");
    button.addEventListener("click", function () {
      text.parentNode.open = true;
      getSelection().selectAllChildren(text);
      said.textContent = document.execCommand("copy") ? "Copied" : "Selected: press Ctrl+C";
    });
    button.hidden = false;
  }

  function toggling(figure) {
    figure.querySelectorAll(".toggles button").forEach(function (button) {
      button.addEventListener("click", function () {
        var shown = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", shown);
        figure.querySelector('g[data-curve="' + button.dataset.curve + '"]')
          .classList.toggle("off", !shown);
      });
      button.parentNode.hidden = false;
    });
  }

  document.querySelectorAll("figure.curves").forEach(toggling);
  document.querySelectorAll(".copy").forEach(copying);
  document.querySelectorAll(".problems").forEach(filter);
  window.addEventListener("hashchange", reveal);
  reveal();
})();

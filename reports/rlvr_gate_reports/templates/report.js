"use strict";
// Comfort: without scripts every verdict, table and picture is there, and the worst problems.
(function () {
  var SHOWN = 60; // rows of a list until more are asked for
  var SVG = document.querySelector("svg").namespaceURI; // every page has an icon
  var browsers = {};
  var current = null;

  function byId(id) { return document.getElementById(id); }

  // Text from the data goes into text nodes and attributes alone.
  function make(name, attributes, children) {
    var picture = /^(svg|path|rect)$/.test(name);
    var element = picture ? document.createElementNS(SVG, name) : document.createElement(name);
    Object.entries(attributes || {}).forEach(function (pair) {
      if (pair[1] !== null && pair[1] !== false) element.setAttribute(pair[0], pair[1] === true ? "" : pair[1]);
    });
    element.append.apply(element, (children || []).filter(function (child) { return child !== null; }));
    return element;
  }

  function count(number) { return number.toLocaleString("en-US"); }

  function read(id) { return JSON.parse(byId(id).textContent); }

  var unpacked = new Map();
  function unpack(id) {
    if (!unpacked.has(id)) {
      if (unpacked.size > 7) unpacked.delete(unpacked.keys().next().value);
      var bytes = Uint8Array.from(atob(byId(id).textContent), function (c) { return c.charCodeAt(0); });
      var stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
      unpacked.set(id, new Response(stream).text().then(JSON.parse));
    }
    return unpacked.get(id);
  }

  // The address holds what is shown: #problem?class=lost&text=…

  function address() {
    var parts = location.hash.slice(1).split("?");
    return {target: parts[0], wish: new URLSearchParams(parts[1] || "")};
  }

  function reveal() {
    var asked = address();
    var found = /^(b\d+)(?:p(\d+)|-problems)$/.exec(asked.target);
    if (found && browsers[found[1]]) {
      browsers[found[1]].wanted(found[2] === undefined ? null : Number(found[2]), asked.wish);
      return;
    }
    var target = asked.target && byId(asked.target);
    if (target && target.tagName === "DETAILS") {
      target.open = true;
      target.scrollIntoView();
      target.firstElementChild.focus({preventScroll: true});
    }
  }

  // The problems of one benchmark

  function browse(section) {
    var name = section.dataset.benchmark;
    if (!byId(name + "-rows")) return;
    var data = read(name + "-rows");
    var rows = data.rows.map(function (row, place) {
      return {id: row[0], anchor: row[1], kind: row[2] < 0 ? "" : data.classes[row[2]],
        sure: data.sureness[row[3]], gap: row[4], stratum: row[5], counts: row[6], place: place};
    });
    var shown = rows, most = SHOWN, open = null, chosen = false, prompts = null, drawn = 0;

    var buttons = ["lost", "gained", "preserved", "unreached"].filter(function (kind) {
      return rows.some(function (row) { return row.kind === kind; });
    }).map(function (kind) {
      var n = rows.filter(function (row) { return row.kind === kind; }).length;
      return make("button", {type: "button", "aria-pressed": "false", "data-kind": kind},
        [make("span", {class: "cell " + kind}), kind + " " + count(n)]);
    });
    var strata = Array.from(new Set(rows.map(function (row) { return row.stratum; }))).sort();
    var stratum = make("select", {"aria-label": "Stratum"}, [make("option", {value: ""}, ["every stratum"])].concat(
      strata.slice(0, 500).map(function (each) { return make("option", {value: each}, [each || "without"]); })));
    stratum.hidden = strata.length < 2;
    var sort = make("select", {"aria-label": "Order"}, [["", "largest loss first"], ["id", "by id"]].concat(
      data.roles.slice(0, 2).map(function (role) { return [role, "solved least by " + role]; })
    ).map(function (each) { return make("option", {value: each[0]}, [each[1]]); }));
    var search = make("input", {type: "search", placeholder: "id or text of the problem", "aria-label": "Find a problem"});
    var output = make("output", {"aria-live": "polite"});
    var list = make("ol", {class: "rows"});
    var page = make("article", {class: "problem-page", tabindex: "-1", "aria-label": "Problem"});
    section.querySelector(".static").before(make("div", {class: "browse"}, [
      make("div", {class: "controls"}, buttons.concat([stratum, sort, search, output])),
      make("div", {class: "split"}, [list, page])]));
    section.classList.add("browsed");

    function pressed() {
      return buttons.filter(function (b) { return b.getAttribute("aria-pressed") === "true"; })
        .map(function (b) { return b.dataset.kind; });
    }

    function wish() {
      var kept = new URLSearchParams();
      if (pressed().length) kept.set("class", pressed().join(","));
      if (stratum.value) kept.set("stratum", stratum.value);
      if (search.value.trim()) kept.set("text", search.value.trim());
      if (sort.value) kept.set("sort", sort.value);
      return String(kept) && "?" + kept;
    }

    function remember() {
      history.replaceState(null, "", "#" + (chosen ? name + "p" + open.anchor : section.id) + wish());
    }

    function recall(kept) {
      var kinds = (kept.get("class") || "").split(",");
      buttons.forEach(function (b) { b.setAttribute("aria-pressed", kinds.includes(b.dataset.kind)); });
      stratum.value = kept.get("stratum") || "";
      sort.value = kept.get("sort") || "";
      if (sort.selectedIndex < 0) sort.value = "";
      search.value = kept.get("text") || "";
    }

    function ordered(chosen) {
      var side = data.roles.indexOf(sort.value);
      function accuracy(row) { return row.counts[side] ? row.counts[side][6] : 2; }
      if (sort.value === "id") return chosen.sort(function (a, b) { return a.id.localeCompare(b.id, "en", {numeric: true}); });
      if (side >= 0) return chosen.sort(function (a, b) { return accuracy(a) - accuracy(b) || a.place - b.place; });
      return chosen;
    }

    async function apply() {
      var turn = ++drawn, kinds = pressed(), wanted = search.value.trim().toLowerCase();
      if (wanted && !prompts) prompts = (await unpack(name + "-prompts")).map(function (text) { return text.toLowerCase(); });
      if (turn !== drawn) return;
      shown = ordered(rows.filter(function (row) {
        return (!kinds.length || kinds.includes(row.kind)) && (!stratum.value || row.stratum === stratum.value)
          && (!wanted || row.id.toLowerCase().includes(wanted) || prompts[row.place].includes(wanted));
      }));
      most = SHOWN;
      draw();
    }

    function draw() {
      list.replaceChildren.apply(list, shown.slice(0, most).map(function (row) {
        var link = make("a", {href: "#" + name + "p" + row.anchor, "aria-current": row === open && "true"}, [
          make("span", {class: "cell " + row.kind}), make("span", {class: "name"}, [row.id]),
          make("span", {class: "num"}, [row.counts.slice(0, 2).map(function (c) { return c ? count(c[0]) : "–"; }).join(" → ")
            + (row.counts[0] ? " / " + count(row.counts[0][1]) : "")])]);
        link.addEventListener("click", function (event) { event.preventDefault(); turn(row, false).then(function () { reach(null); }); });
        row.link = link;
        return make("li", {}, [link]);
      }));
      if (shown.length > most) {
        var more = make("button", {type: "button"}, ["show more"]);
        more.addEventListener("click", function () {
          var last = list.children.length - 1;
          most += 10 * SHOWN;
          draw();
          list.children[last].firstElementChild.focus();
        });
        list.append(make("li", {}, [more]));
      }
      output.textContent = count(shown.length) + " of " + count(rows.length);
    }

    // Where the problem stands below its list, as on a phone, it is what is to be seen.
    function reach(otherwise) {
      var below = page.offsetTop >= list.offsetTop + list.offsetHeight;
      if (below) page.scrollIntoView();
      else if (otherwise) otherwise.scrollIntoView();
    }

    function turn(row, focus) {
      chosen = true;
      var shown = show(row, focus);
      remember();
      return shown;
    }

    function step(by) {
      var next = shown[Math.min(Math.max(shown.indexOf(open) + by, 0), shown.length - 1)];
      if (next && next !== open) turn(next, false);
    }

    function mark(row) {
      if (open && open.link) open.link.removeAttribute("aria-current");
      open = row;
      current = api;
      if (row.link && row.link.isConnected) {
        row.link.setAttribute("aria-current", "true");
        var at = row.link.offsetTop - list.offsetTop;
        if (at < list.scrollTop || at > list.scrollTop + list.clientHeight - 40) list.scrollTop = at - 60;
      }
      point(section.querySelector("svg.strip"), row);
    }

    async function show(row, focus) {
      mark(row);
      var id = name + "-texts-" + Math.floor(row.place / data.each);
      var found = byId(id) ? (await unpack(id))[row.place % data.each] : null;
      var asked = (await unpack(name + "-prompts"))[row.place];
      if (open !== row) return;
      page.replaceChildren.apply(page, problem(row, asked, found));
      page.scrollTop = 0;
      if (focus) page.focus({preventScroll: true});
    }

    function problem(row, asked, found) {
      function arrow(by, said, key) {
        var button = make("button", {type: "button", title: "key: " + key}, [said]);
        button.disabled = !shown[shown.indexOf(open) + by];
        button.addEventListener("click", function () {
          step(by);
          var again = page.querySelectorAll(".turn button")[by < 0 ? 0 : 1];
          if (again) again.focus();
        });
        return button;
      }
      return [
        make("header", {}, [
          make("h3", {}, [make("span", {class: "cell " + row.kind}), row.id, " ",
            make("small", {}, [[row.kind, row.sure, row.stratum && "stratum " + row.stratum, row.gap && "accuracy " + row.gap]
              .filter(Boolean).join(" · ")])]),
          make("p", {class: "turn"}, [arrow(-1, "← previous", "←"), arrow(1, "next →", "→")])]),
        asked ? make("pre", {class: "prompt"}, [asked]) : null,
        found && found[0] ? make("p", {class: "facts"}, ["Answer ", make("code", {}, [found[0]])]) : null,
        found && found[2] ? promoted(found[2], found[3]) : null,
        found ? null : make("p", {class: "note"}, ["The completions of this problem are left out of this page; they are in the sample store."]),
        make("div", {class: "sides"}, data.roles.map(function (role, n) {
          return side(role, data.styles[n], row.counts[n], found ? found[1][n] : [[], []]);
        }))
      ].filter(Boolean);
    }

    function promoted(said, rows) {
      if (!rows.length) return make("p", {class: "note"}, [said]);
      function cells(name, each) { return each.map(function (text) { return make(name, {}, name === "td" ? [make("code", {}, [text])] : [text]); }); }
      return make("table", {class: "numbers promoted"}, [make("caption", {}, [said]),
        make("thead", {}, [make("tr", {}, cells("th", ["after", "base", "rlvr"]))]),
        make("tbody", {}, rows.map(function (row) { return make("tr", {}, cells("td", row)); }))]);
    }

    function side(role, style, counts, given) {
      var said = counts ? [count(counts[0]) + " of " + count(counts[1]) + " correct"].concat(
        ["unscored", "truncated", "duplicates", "tokens"].map(function (what, n) {
          return counts[n + 2] ? count(counts[n + 2]) + " " + what : "";
        }).filter(Boolean)).join(", ") : "not counted";
      return make("div", {}, [make("h4", {}, [make("span", {class: "key " + style}), role]),
        make("p", {class: "note"}, [said]), given[0].length ? answers(given[0], counts) : null
      ].concat(given[1].map(text)));
    }

    function answers(given, counts) {
      var told = given.reduce(function (sum, each) { return sum + each[1]; }, 0);
      var rest = counts && counts[1] > told ? [["other answers", counts[1] - told, "rest"]] : [];
      var largest = Math.max.apply(null, given.concat(rest).map(function (each) { return each[1]; }));
      return make("table", {class: "answers"}, [make("caption", {}, ["What it answered, and how often"]),
        make("tbody", {}, given.concat(rest).map(function (each) {
          return make("tr", {}, [make("th", {scope: "row"}, [make("code", {}, [each[0]])]),
            make("td", {}, [make("svg", {class: "meter", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true"},
              [make("rect", {class: "given " + each[2], width: 100 * each[1] / largest, height: 10})])]),
            make("td", {class: "num"}, [count(each[1])]),
            make("td", {}, [{correct: "✓ correct", wrong: "✗ wrong", unscored: "? unscored"}[each[2]] || ""])]);
        }))]);
    }

    function text(each) {
      return make("div", {class: "completion " + each[1]}, [
        make("p", {}, [make("b", {class: "grade"}, [each[1]]), make("span", {}, ["sample " + count(each[0])]),
          make("span", {}, ["extracted "].concat(each[2] === null ? ["nothing"] : [make("code", {}, [each[2]])])),
          each[3] ? make("span", {}, ["ended by " + each[3]]) : null,
          each[4] ? make("span", {}, ["log-probability " + each[4]]) : null,
          each[6] ? make("span", {}, ["reason: " + each[6]]) : null,
          each[7] ? make("span", {}, [each[7]]) : null]),
        make("pre", {tabindex: "0"}, [each[5]])]);
    }

    var api = {
      step: step,
      rows: rows,
      open: function (row) { turn(row, true).then(function () { reach(section); }); },
      wanted: function (anchor, kept) {
        if (kept.size || anchor === null) recall(kept);
        var row = rows.find(function (each) { return each.anchor === anchor; });
        apply().then(function () {
          if (!row) return;
          chosen = true;
          show(row, true).then(function () { reach(section); });
        });
      }
    };
    buttons.forEach(function (button) {
      button.addEventListener("click", function () {
        button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true");
        apply();
        remember();
      });
    });
    [search, sort, stratum].forEach(function (input) {
      input.addEventListener("input", function () { apply(); remember(); });
    });
    draw();
    if (rows.length) {
      page.append(make("p", {class: "note"}, ["Choose a problem: in the list, in the strip, in the scatter, or with the keys ← and →."]));
      // The worst one is open before anybody asks, once it is near; the address stays as it was.
      var near = new IntersectionObserver(function (seen) {
        if (!seen.some(function (each) { return each.isIntersecting; })) return;
        near.disconnect();
        if (!open) { var was = current; show(rows[0], false); current = was || current; }
      }, {rootMargin: "200px"});
      near.observe(page);
    }
    pick(section.querySelector("svg.strip"), function (svg, x, y) {
      var cell = Number(svg.dataset.cell), line = Number(svg.dataset.row);
      return Math.floor(x / cell) < line ? rows[Math.floor(y / cell) * line + Math.floor(x / cell)] : null;
    }, api);
    pick(document.querySelector("#" + name + " svg[data-side]"), nearest(rows), api);
    browsers[name] = api;
  }

  // Pictures of problems: what is under the pointer

  function pick(svg, find, api) {
    if (!svg) return;
    var said = make("p", {class: "note under"});
    svg.after(said);
    function at(event) {
      var place = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      return find(svg, place.x, place.y);
    }
    svg.classList.add("live");
    svg.addEventListener("pointermove", function (event) {
      var row = at(event);
      said.textContent = row ? row.id + (row.kind && ": " + row.kind) + (row.sure && ", " + row.sure) + row.counts.slice(0, 2)
        .map(function (c) { return c ? ", " + count(c[0]) + " of " + count(c[1]) : ""; }).join("") : "";
    });
    svg.addEventListener("pointerleave", function () { said.textContent = ""; });
    svg.addEventListener("click", function (event) {
      var row = at(event);
      if (row) api.open(row);
    });
  }

  function nearest(rows) {
    return function (svg, x, y) {
      var left = Number(svg.dataset.left), top = Number(svg.dataset.top), side = Number(svg.dataset.side);
      var best = null, least = 144;
      rows.forEach(function (row) {
        if (!row.counts[0] || !row.counts[1]) return;
        var dx = left + Math.sqrt(row.counts[0][6]) * side - x;
        var dy = top + (1 - Math.sqrt(row.counts[1][6])) * side - y;
        if (dx * dx + dy * dy < least) { least = dx * dx + dy * dy; best = row; }
      });
      return best;
    };
  }

  function point(svg, row) {
    if (!svg) return;
    var cell = Number(svg.dataset.cell), line = Number(svg.dataset.row);
    var here = svg.querySelector(".here") || svg.appendChild(make("path", {class: "here"}));
    here.setAttribute("d", "M" + (row.place % line) * cell + " " + Math.floor(row.place / line) * cell + "h" + cell + "v" + cell + "h-" + cell + "z");
  }

  // Curves: one k at a time, by pointer or key

  function curves(figure) {
    var svg = figure.querySelector("svg"), name = figure.dataset.benchmark;
    if (!svg || !byId(name + "-curves")) return;
    var data = read(name + "-curves");
    if (data.k.length < 2) return;
    var slider = make("input", {type: "range", min: 0, max: data.k.length - 1, step: 1, "aria-label": "k"});
    var said = make("output", {class: "at-k"});
    var line = svg.appendChild(make("path", {class: "cursor"}));
    var left = Number(svg.dataset.left), right = Number(svg.dataset.right);
    var first = Math.log2(svg.dataset.first), last = Math.log2(svg.dataset.last);
    function put(index) {
      slider.value = index;
      var k = data.k[index], x = left + (Math.log2(k) - first) / (last - first) * (right - left);
      slider.setAttribute("aria-valuetext", "k = " + k);
      line.setAttribute("d", "M" + x + " " + svg.dataset.top + "V" + svg.dataset.bottom);
      said.replaceChildren.apply(said, [make("b", {}, ["k = " + k])].concat(data.said.map(function (role) {
        return make("span", {}, [role[0] + " " + role[1][index]]);
      })));
    }
    slider.addEventListener("input", function () { put(Number(slider.value)); });
    svg.addEventListener("pointermove", function (event) {
      var place = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      var k = Math.pow(2, first + (place.x - left) / (right - left) * (last - first)), best = 0;
      data.k.forEach(function (each, n) { if (Math.abs(each - k) < Math.abs(data.k[best] - k)) best = n; });
      put(best);
    });
    svg.after(make("p", {class: "cursor-k"}, [slider, said]));
    put(data.k.length - 1);
  }

  function toggling(figure) {
    figure.querySelectorAll(".toggles button").forEach(function (button) {
      button.addEventListener("click", function () {
        var shown = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", shown);
        figure.querySelector('g[data-curve="' + button.dataset.curve + '"]').classList.toggle("off", !shown);
      });
      button.parentNode.hidden = false;
    });
  }

  // The clipboard may be refused; what was selected can still be copied by key.
  function copying(button) {
    var text = byId("summary");
    var said = button.parentNode.querySelector("output");
    button.addEventListener("click", function () {
      text.parentNode.open = true;
      getSelection().selectAllChildren(text);
      said.textContent = document.execCommand("copy") ? "Copied" : "Selected: press Ctrl+C";
    });
    button.hidden = false;
  }

  document.querySelectorAll("figure.curves").forEach(toggling);
  document.querySelectorAll("figure.curves").forEach(curves);
  document.querySelectorAll(".copy").forEach(copying);
  document.querySelectorAll(".problems").forEach(browse);
  document.addEventListener("click", function (event) {
    var link = event.target.closest && event.target.closest("a[data-problem]");
    if (!link) return;
    event.preventDefault();
    if (location.hash === "#" + link.dataset.problem) reveal();
    else location.hash = link.dataset.problem;
  });
  document.addEventListener("keydown", function (event) {
    var by = {ArrowRight: 1, n: 1, ArrowLeft: -1, p: -1}[event.key];
    if (!by || !current || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    event.preventDefault();
    current.step(by);
  });
  window.addEventListener("hashchange", reveal);
  reveal();
})();

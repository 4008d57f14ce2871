// Adds a copy button beside each value. The page works without this script: a tap
// selects a whole value.
(function () {
  "use strict";
  var words = document.body.dataset;
  var said = document.createElement("p");
  said.className = "unseen";
  said.setAttribute("role", "status");
  document.body.appendChild(said);

  function mark(node) {
    var range = document.createRange();
    range.selectNodeContents(node);
    var selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  }

  // The clipboard API needs https; execCommand works everywhere.
  function copy(node) {
    if (navigator.clipboard && window.isSecureContext) {
      return navigator.clipboard.writeText(node.textContent);
    }
    mark(node);
    return document.execCommand("copy") ? Promise.resolve() : Promise.reject();
  }

  // A template of the operator may have a table in place of the list.
  document.querySelectorAll("dd > code, td > code").forEach(function (code) {
    var label = code.closest("dl > div, tr").querySelector("dt, th").textContent;
    var button = document.createElement("button");
    button.type = "button";
    button.className = "copier";
    var word = document.createTextNode(words.copy);
    var what = document.createElement("span");
    what.className = "unseen";
    what.textContent = " " + label;
    button.append(word, what);
    button.addEventListener("click", function () {
      copy(code).then(function () {
        word.data = words.copied;
        said.textContent = label + ": " + words.copied;
        setTimeout(function () {
          word.data = words.copy;
          said.textContent = "";
        }, 2000);
      }, function () { mark(code); });
    });
    code.parentNode.appendChild(button);
  });

  // Opens the section that a link leads to.
  function reveal() {
    var target = document.getElementById(location.hash.slice(1));
    if (target && target.tagName === "DETAILS") target.open = true;
  }
  window.addEventListener("hashchange", reveal);
  reveal();
})();

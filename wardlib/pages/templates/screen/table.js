/* A long table sorts by a click on a head, each part within its whole, and shows the rows that hold what is typed,
   below what they are parts of. Typed without marks ("thue") a word stands for all that it may be; with marks only
   for those that have them, wherever in the word (ủy, uỷ). */
for (const box of document.querySelectorAll(".ward[data-find]:not([data-ready])")) {
  box.dataset.ready = "";
  const body = box.querySelector("tbody"), rows = [...body.rows], vi = box.lang === "vi";
  const words = (text) => text.toLowerCase().normalize("NFD").replace(/đ/g, "d\u0335").match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  const parts = (text) => words(text).map((word) => [word.replace(/\p{M}/gu, ""), word.match(/\p{M}/gu) ?? []]);
  const depth = (row) => +row.className.slice(-1);
  const above = rows.map((row, at) => rows.slice(0, at).findLastIndex((other) => depth(other) < depth(row)));
  const held = rows.map((row) => [...row.cells].flatMap((cell) => [...cell.childNodes].flatMap((node) => parts(node.textContent))));
  const find = document.createElement("input");
  find.type = "search";
  find.placeholder = find.ariaLabel = box.dataset.find;
  find.oninput = () => {
    const asked = parts(find.value), shown = new Set();
    rows.forEach((row, at) => {
      const has = asked.every(([base, marks]) => held[at].some(([own, its]) => own.includes(base) && marks.every((mark) => its.includes(mark))));
      for (let up = at; has && up >= 0; up = above[up]) shown.add(up);
    });
    rows.forEach((row, at) => { row.hidden = !shown.has(at); });
  };
  box.querySelector("figure").before(find);
  const value = (cell) => {
    const text = cell.firstChild?.textContent.trim() ?? "", day = text.match(/^(\d+)\/(\d+)\/(\d{4})/);
    if (day) return day[3] * 1e4 + day[2] * 100 + +day[1];
    if (/^\d+ \p{L}+ \d{4}$/u.test(text)) return Date.parse(text);
    const number = text.replace(/^</, "").match(/^[-+]?\d[\d.,]*/)?.[0].replace(vi ? /\./g : /,/g, "").replace(",", ".");
    return number === undefined ? text : +number;
  };
  const compare = (a, b) => typeof a === typeof b ? (typeof a === "number" ? a - b : a.localeCompare(b, box.lang)) : typeof a === "number" ? -1 : 1;
  [...box.querySelectorAll("thead th")].forEach((head, column, heads) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.onclick = () => {
      const next = { ascending: "descending", descending: "" }[head.ariaSort ?? ""] ?? "ascending";
      heads.forEach((other) => { other.ariaSort = null; });
      if (next) head.ariaSort = next;
      const under = (whole) => rows.map((_, at) => at).filter((at) => above[at] === whole);
      const place = (whole) => {
        const own = under(whole);
        if (next) own.sort((a, b) => compare(value(rows[a].cells[column]), value(rows[b].cells[column])) * (next === "ascending" ? 1 : -1));
        for (const at of own) { body.append(rows[at]); place(at); }
      };
      place(-1);
    };
  });
}

// SPDX-License-Identifier: Apache-2.0
// Tables sorted by the column whose head is pressed.
function makeSortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = element("button", {type: "button"}, head.textContent);
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const rising = head.getAttribute("aria-sort") === "descending" ||
                     (!head.hasAttribute("aria-sort") && !head.classList.contains("number"));
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", rising ? "ascending" : "descending");
      const text = (row) => row.cells[column].textContent;
      const number = (row) => {
        const value = parseFloat(text(row).replaceAll(",", ""));  // "22.50 %" too
        return Number.isNaN(value) ? -Infinity : value;
      };
      const compare = head.classList.contains("number") ? (a, b) => number(a) - number(b) : (a, b) => text(a).localeCompare(text(b));
      const body = table.tBodies[0];
      body.append(...[...body.rows].sort((a, b) => rising ? compare(a, b) : compare(b, a)));
    });
  });
}

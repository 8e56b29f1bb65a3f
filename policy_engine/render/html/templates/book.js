(() => {
  const root = document.documentElement, tools = document.getElementById("tools");
  const make = (tag, named) => Object.assign(document.createElement(tag), named);
  const box = make("input", { type: "search", placeholder: "Search the book" });
  const found = make("output", {});
  const theme = make("button", { type: "button", textContent: "Light or dark" });
  box.setAttribute("aria-label", "Search the book");
  const passages = [...document.querySelectorAll(".passage")];
  const texts = passages.map(one => one.textContent.toLowerCase());
  box.addEventListener("input", () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    passages.forEach((one, at) => {
      one.hidden = !words.every(word => texts[at].includes(word));
      count += !one.hidden;
    });
    root.classList.toggle("searching", words.length > 0);
    for (const one of document.querySelectorAll(".group"))
      one.hidden = words.length > 0 && !one.querySelector(".passage:not([hidden])");
    found.textContent = words.length ? `${count} of ${passages.length} provisions` : "";
  });
  theme.addEventListener("click", () => {
    const dark = getComputedStyle(root).colorScheme === "dark" ||
      (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
    root.dataset.theme = dark ? "light" : "dark";
  });
  addEventListener("hashchange", () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.closest("[hidden]")) {
      box.value = ""; box.dispatchEvent(new Event("input")); target.scrollIntoView();
    }
  });
  tools.append(box, theme, found);
})();

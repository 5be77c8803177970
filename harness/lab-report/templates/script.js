(() => {
  "use strict";
  const root = document.documentElement;
  const toggle = document.getElementById("theme");
  const label = () => { toggle.textContent = root.dataset.theme === "dark" ? "Light" : "Dark"; };
  const switchTheme = () => {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem("leaselab-theme", root.dataset.theme); } catch { /* a file may have no storage */ }
    label();
  };
  toggle.addEventListener("click", switchTheme);
  toggle.hidden = false;
  label();

  const failures = [...document.querySelectorAll("details.failure")];
  const buttons = [...document.querySelectorAll("[data-filter]")];
  const filter = (wanted) => {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.filter === wanted));
    for (const failure of failures) failure.hidden = wanted !== "all" && failure.dataset.severity !== wanted;
  };
  for (const button of buttons) button.addEventListener("click", () => filter(button.dataset.filter));

  const scrollToFailure = (failure) => {
    for (const region of failure.querySelectorAll(".timeline .scroll")) {
      if (!region.dataset.moved) {
        region.dataset.moved = "yes";
        region.scrollLeft = Math.max(0, Number(region.dataset.failing) - 60);
      }
    }
  };
  for (const failure of failures) {
    failure.addEventListener("toggle", () => { if (failure.open) scrollToFailure(failure); });
    if (failure.open) scrollToFailure(failure);
  }
  const openTarget = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target instanceof HTMLDetailsElement) {
      if (target.hidden) filter("all");
      target.open = true;
      target.querySelector("summary").focus({ preventScroll: true });
      target.scrollIntoView();
    }
  };
  window.addEventListener("hashchange", openTarget);
  openTarget();

  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", async () => {
      const text = button.parentElement.querySelector("pre").textContent;
      try { await navigator.clipboard.writeText(text); button.textContent = "Copied"; } catch { button.textContent = "Not copied"; }
    });
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    const visible = failures.filter((failure) => !failure.hidden);
    const current = visible.indexOf(document.activeElement.closest("details.failure"));
    const next = { j: current + 1, k: current < 0 ? visible.length - 1 : current - 1 }[event.key];
    if (next !== undefined && visible[next]) {
      visible[next].querySelector("summary").focus();
      event.preventDefault();
    } else if (event.key === "t") {
      switchTheme();
    }
  });
})();

window.addEventListener("load", async () => {
  const { errors } = window.selfTest;
  const check = (holds, text) => { if (!holds) errors.push(text); };
  const press = (key) => (document.activeElement || document.body).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  const goTo = async (hash) => {
    const changed = new Promise((resolve) => window.addEventListener("hashchange", resolve, { once: true }));
    location.hash = hash;
    await changed;
  };

  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  check(new Set(ids).size === ids.length, "two elements have the same id");
  for (const link of document.querySelectorAll("a[href]")) {
    const target = link.getAttribute("href");
    check(target.startsWith("#") && ids.includes(target.slice(1)), `a link leads nowhere: ${target}`);
    check(link.textContent.trim() !== "" || link.ariaLabel, `a link to ${target} has no name`);
  }
  check(performance.getEntriesByType("resource").length === 0, "the page loads something");
  check(document.documentElement.scrollWidth <= window.innerWidth, `the page is ${document.documentElement.scrollWidth} wide in a window of ${window.innerWidth}`);

  const failures = [...document.querySelectorAll("details.failure")];
  for (const failure of failures) {
    await goTo(`#${failure.id}`);
    check(failure.open, `the anchor ${failure.id} does not open its failure`);
    check(document.activeElement === failure.querySelector("summary"), `the anchor ${failure.id} does not move the focus`);
  }
  document.activeElement.blur();
  failures.forEach((failure, index) => {
    press("j");
    check(document.activeElement === failure.querySelector("summary"), `j does not reach failure ${index + 1}`);
  });
  if (failures.length > 1) {
    press("k");
    check(document.activeElement === failures.at(-2).querySelector("summary"), "k does not go back");
  }
  for (const button of document.querySelectorAll("[data-filter]")) {
    button.click();
    const shown = failures.filter((failure) => !failure.hidden);
    check(shown.length > 0 && button.getAttribute("aria-pressed") === "true", `the filter ${button.dataset.filter} shows nothing`);
  }
  document.querySelector("[data-filter=all]")?.click();

  const theme = document.documentElement.dataset.theme;
  const background = getComputedStyle(document.body).backgroundColor;
  press("t");
  check(document.documentElement.dataset.theme !== theme, "t does not change the theme");
  check(getComputedStyle(document.body).backgroundColor !== background, "the themes have the same background");

  const visible = (element) => element.getClientRects().length > 0;
  const controls = [...document.querySelectorAll("a[href], button, summary, [tabindex='0']")].filter(visible);
  for (const control of controls) {
    control.focus();
    check(document.activeElement === control, `no focus for ${control.outerHTML.slice(0, 80)}`);
  }
  check(controls.length >= 3, "the page has no controls");
  document.body.dataset.result = JSON.stringify({ errors, failures: failures.length, controls: controls.length });
});

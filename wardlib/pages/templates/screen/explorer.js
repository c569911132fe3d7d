/* What ipywidgets leaves undone: a slider has the name that is written beside it, and keys pressed in a control move it,
   not the notebook's cells. */
for (const box of document.querySelectorAll(".ward-explorer-head:not([data-ready])")) {
  box.dataset.ready = "";
  const area = box.closest(".jp-OutputArea") ?? document.body;
  const tend = () => {
    for (const own of area.querySelectorAll(".ward-explorer")) own.dataset.lmSuppressShortcuts = "true";
    for (const handle of area.querySelectorAll('.ward-explorer [role="slider"]')) {
      const label = handle.closest(".widget-slider")?.querySelector(".widget-label");
      if (label) handle.ariaLabel = label.textContent;
      const said = handle.closest(".widget-slider")?.querySelector(".widget-readout");
      if (said && handle.ariaValueText !== said.textContent) handle.ariaValueText = said.textContent;
    }
  };
  new MutationObserver(tend).observe(area, { childList: true, subtree: true });
  tend();
}

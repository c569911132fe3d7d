/* What ipywidgets leaves undone: a slider has the name that is written beside it, and a key pressed in a control is the
   control's, not the notebook's, which would go to its next cell; long names in a list may wrap. */
for (const head of document.querySelectorAll(".ward-explorer-head:not([data-ready])")) {
  head.dataset.ready = "";
  const area = head.closest(".jp-OutputArea") ?? document.body;
  const tend = () => {
    for (const control of area.querySelectorAll(".ward-explorer :is(a, button, input, select, [tabindex])")) {
      control.dataset.lmSuppressShortcuts = "true";
    }
    for (const option of area.querySelectorAll(".ward-explorer select[multiple] option")) {
      if (/\xa0/.test(option.textContent)) option.textContent = option.textContent.replace(/\xa0/g, " ");
    }
    for (const slider of area.querySelectorAll(".ward-explorer .widget-slider")) {
      const handle = slider.querySelector('[role="slider"]');
      if (!handle) continue;
      handle.ariaLabel = slider.querySelector(".widget-label").textContent;
      handle.ariaValueText = slider.querySelector(".widget-readout").textContent;
    }
  };
  new MutationObserver(tend).observe(area, { childList: true, subtree: true });
  tend();
}

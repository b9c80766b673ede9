// One key each; not while something is typed or chosen, nor with Ctrl, Alt or Meta.

const typing = (target) => target.closest("input, select, textarea, dialog") !== null;

/** `actions` by key. */
export function listen(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || typing(event.target)) return;
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}

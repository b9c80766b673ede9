// Light, dark, or as the system has it; the colours stand in the style sheet alone.

import { remember, remembered } from "./store.js";

const THEMES = ["system", "light", "dark"];
const dark = matchMedia("(prefers-color-scheme: dark)");
let theme = remembered("theme", "system");

function apply() {
  const shown = theme === "system" ? (dark.matches ? "dark" : "light") : theme;
  document.documentElement.dataset.theme = shown;
}

/** `changed` is called whenever the colours have become others. */
export function startTheme(changed) {
  apply();
  dark.addEventListener("change", () => {
    apply();
    changed();
  });
}

export function nextTheme() {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  remember("theme", theme);
  apply();
}

export const themeName = () => ({ system: "As system", light: "Light", dark: "Dark" })[theme];

/** The colours as the style sheet has them now. */
export function palette() {
  const style = getComputedStyle(document.documentElement);
  const names = ["text", "dim", "panel", "grid", "buy", "sell", "score", "water", "entry", "stop", "target"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}
